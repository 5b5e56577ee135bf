"""Multi-layer perceptrons, M members at once."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from pipeline.bounds import Size
from pipeline.config import Section
from pipeline.core.nn.layers import MemberLinear, MemberModule

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "gelu": nn.functional.gelu}


class MLPConfig(Section):
    """Inputs, hidden widths, outputs, and the activation between them."""

    d_in: Size
    widths: Annotated[tuple[Size, ...], Field(min_length=1)]
    d_out: Size
    activation: Literal["relu", "tanh", "gelu"]


class MLP(MemberModule):
    """Affine maps with an activation between them, as torch's nn.Sequential of nn.Linear."""

    Config = MLPConfig

    def __init__(self, config: MLPConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: MLPConfig = config
        sizes = (config.d_in, *config.widths, config.d_out)
        self.layers = nn.ModuleList(
            MemberLinear(d_in, d_out, generators, bias=True) for d_in, d_out in pairwise(sizes)
        )

    def forward(self, x: Float[Tensor, "member batch d_in"]) -> Float[Tensor, "member batch d_out"]:
        """Compute the outputs."""
        activation = ACTIVATIONS[self.config.activation]
        for layer in self.layers[:-1]:
            x = activation(layer(x))
        return self.layers[-1](x)
