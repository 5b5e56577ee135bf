"""Logistic regression on the bits."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.bounds import Size
from pipeline.config import Section
from pipeline.core.nn.layers import MemberModule

Bits = Float[Tensor, "member batch position"]


class LinearConfig(Section):
    """Logistic regression on T ``positions``."""

    positions: Size


class Linear(MemberModule):
    """A weight for each position and a bias, from zero: a logit for each sequence."""

    Config = LinearConfig

    def __init__(self, config: LinearConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: LinearConfig = config
        self.w = nn.Parameter(torch.zeros(len(generators), config.positions, 1))
        self.b = nn.Parameter(torch.zeros(len(generators), 1))

    def forward(
        self, bits: Float[Tensor, "member batch position"]
    ) -> Float[Tensor, "member batch"]:
        """Compute the logits."""
        return (bits @ self.w)[..., 0] + self.b
