"""Section 2.1's simplest attention: gains that are the input itself, w = softmax(x Q), y = w . x.

Source: Neuromatch NeuroAI, week 1 day 5, tutorial 3, section 2.1 ("a very simple version of
input-dependent weights would simply set z = x"). A scale and a bias make y, which lies in [0, 1],
a logit.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.bounds import Scale, Size
from pipeline.config import Section
from pipeline.core.nn.init import normal
from pipeline.core.nn.layers import MemberModule


class InputGainsRecipe(Section):
    """Standard deviation of the initial Q and scale, for any number of positions."""

    init_std: Scale


class InputGainsConfig(InputGainsRecipe):
    """A recipe for T ``positions``."""

    positions: Size


class InputGains(MemberModule):
    """Weights softmax(x Q) over the positions, without queries, keys or values."""

    Config = InputGainsConfig

    def __init__(self, config: InputGainsConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: InputGainsConfig = config
        T, std = config.positions, config.init_std
        self.Q = normal((T, T), std, generators)
        self.scale = normal((1,), std, generators)
        self.b = nn.Parameter(torch.zeros(len(generators), 1))

    def forward(
        self, bits: Float[Tensor, "member batch position"]
    ) -> Float[Tensor, "member batch"]:
        """Compute the logits."""
        weights = (bits @ self.Q).softmax(-1)
        return self.scale * (weights * bits).sum(-1) + self.b
