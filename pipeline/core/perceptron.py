"""A perceptron with one hidden layer, and dropout that draws from the members' own generators."""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from pipeline.config import Section
from pipeline.core.layers import MemberModule

Count = Annotated[int, Field(ge=1)]
LEVELS = 65536  # of the 16-bit numbers that decide on dropout


class PerceptronRecipe(Section):
    """Hidden units, dropout probability, standard deviation of the initial weights."""

    width: Count
    dropout: Annotated[float, Field(ge=0, lt=1)]
    init_std: Annotated[float, Field(gt=0)]


class PerceptronConfig(PerceptronRecipe):
    """A recipe for ``d_in`` inputs."""

    d_in: Count


def normal(shape: Sequence[int], std: float, generators: Sequence[torch.Generator]) -> nn.Parameter:
    """Draw a parameter [member, *shape] from N(0, std^2), each member from its own generator."""
    return nn.Parameter(torch.stack([torch.randn(*shape, generator=g) for g in generators]) * std)


def keep_mask(
    shape: Sequence[int], dropout: float, generators: Sequence[torch.Generator]
) -> Float[Tensor, "member batch width"]:
    """Draw a dropout mask [member, *shape]: 0 with probability ``dropout``, else 1 / (1 - dropout).

    The probability is rounded to 1 / 65,536: four decisions come from each 64-bit number, which is
    three times as fast as one number a decision.
    """
    count = shape[0] * shape[1]
    words = torch.empty(len(generators), -(-count // 4), dtype=torch.int64)
    for row, generator in zip(words, generators, strict=True):
        row.random_(-(2**63), None, generator=generator)
    numbers = words.view(torch.int16)[:, :count].view(len(generators), *shape)
    dropped = round(dropout * LEVELS)
    return (numbers >= dropped - LEVELS // 2) * (LEVELS / (LEVELS - dropped))


class Perceptron(MemberModule):
    """Linear, GELU, dropout, linear: a logit for each row of the input."""

    Config = PerceptronConfig

    def __init__(self, config: PerceptronConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: PerceptronConfig = config
        bound = config.width**-0.5
        self.W_in = normal((config.d_in, config.width), config.init_std, generators)
        self.b_in = nn.Parameter(torch.zeros(len(generators), config.width))
        # The output layer keeps torch's own initialisation, as in the study.
        out = [
            torch.empty(config.width + 1).uniform_(-bound, bound, generator=g) for g in generators
        ]
        self.W_out = nn.Parameter(torch.stack(out)[:, :-1, None])
        self.b_out = nn.Parameter(torch.stack(out)[:, -1:])

    def forward(
        self,
        x: Float[Tensor, "member batch d_in"],
        dropout: Sequence[torch.Generator] | None = None,
    ) -> Float[Tensor, "member batch"]:
        """Compute the logits; with generators, one a member, under dropout (in training)."""
        hidden = nn.functional.gelu(torch.baddbmm(self.b_in[:, None], x, self.W_in))
        if dropout is not None and self.config.dropout:
            hidden = hidden * keep_mask(hidden.shape[1:], self.config.dropout, dropout).to(x)
        return torch.baddbmm(self.b_out[:, None], hidden, self.W_out)[..., 0]
