"""A transformer made equivariant to the scale of its window."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.core.nn.layers import MemberModule
from pipeline.core.nn.transformer import Transformer, TransformerConfig


class ScaleNormalised(MemberModule):
    """f(window) = s g(window / s), s the root mean square of the window.

    So f(c window) = c f(window) for c > 0, and for every c if g is odd (a transformer without
    biases is). A linear law of motion has this symmetry; a model that has it need not learn it.
    """

    Config = TransformerConfig

    def __init__(self, config: TransformerConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: TransformerConfig = config
        self.inner = Transformer(config, generators)

    @property
    def layers(self) -> nn.ModuleList:
        """The layers of the transformer within."""
        return self.inner.layers

    def forward(
        self, x: Float[Tensor, "member batch time d_in"], *, last_only: bool = False
    ) -> Float[Tensor, "member batch out d_out"]:
        """Compute the outputs in the window's own scale; a window of zeros gives zeros."""
        scale = x.square().mean((-1, -2), keepdim=True).sqrt()
        safe = torch.where(scale > 0, scale, torch.ones_like(scale))
        return scale * self.inner(x / safe, last_only=last_only)
