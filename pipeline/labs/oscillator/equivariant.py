"""A sequence model made equivariant to the scale of its window."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.config import Section
from pipeline.core.nn.layers import MemberModule
from pipeline.core.nn.transformer import Transformer, TransformerConfig


class EquivariantConfig(Section):
    """A transformer, and whether its windows are divided by their root mean square."""

    transformer: TransformerConfig
    normalise: bool


class Equivariant(MemberModule):
    """f(window) = s g(window / s), s the root mean square of the window.

    So f(c window) = c f(window) for c > 0, and for every c if g is odd (a transformer without
    biases is). A linear law of motion has this symmetry; a model that has it need not learn it.
    """

    Config = EquivariantConfig

    def __init__(self, config: EquivariantConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: EquivariantConfig = config
        self.inner = Transformer(config.transformer, generators)

    def forward(
        self, x: Float[Tensor, "member batch time d_in"], *, last_only: bool = False
    ) -> Float[Tensor, "member batch out d_out"]:
        """Compute the outputs in the window's own scale; a window of zeros gives zeros."""
        if not self.config.normalise:
            return self.inner(x, last_only=last_only)
        scale = x.square().mean((-1, -2), keepdim=True).sqrt()
        safe = torch.where(scale > 0, scale, torch.ones_like(scale))
        return scale * self.inner(x / safe, last_only=last_only)
