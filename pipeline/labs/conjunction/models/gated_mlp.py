"""The tutorial's MLP behind gains of its inputs: w = softmax(gain a) times T, w_t bit_t.

The gains are those of the tutorial's exercise 1, learned: what attention adds to an MLP if its
weights may not depend on the input. At the start a = 0 and the model is the MLP itself.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.bounds import Positive
from pipeline.labs.conjunction.models.mlp import BinaryMLP, BinaryMLPConfig, BinaryMLPRecipe


class GatedMLPRecipe(BinaryMLPRecipe):
    """An MLP, and the factor on the parameters ``a`` in the softmax (their rate, in effect)."""

    gain: Positive


class GatedMLPConfig(BinaryMLPConfig):
    """A recipe for ``d_in`` inputs."""

    gain: Positive


class GatedMLP(BinaryMLP):
    """An MLP whose inputs compete for a common sum of gains."""

    Config = GatedMLPConfig  # type: ignore[assignment]  # mypy compares the signatures

    def __init__(self, config: GatedMLPConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: GatedMLPConfig = config
        self.a = nn.Parameter(torch.zeros(len(generators), config.d_in))

    def gains(self) -> Float[Tensor, "member d_in"]:
        """Return each input's gain; they sum to the number of inputs."""
        return (self.config.gain * self.a).softmax(-1) * self.config.d_in

    def forward(
        self,
        x: Float[Tensor, "member batch d_in"],
        dropout: Sequence[torch.Generator] | None = None,
    ) -> Float[Tensor, "member batch"]:
        """Compute the logits; with generators, one a member, under dropout (in training)."""
        return super().forward(x * self.gains()[:, None], dropout)
