"""C1: attention whose weights are set by two gains, w = softmax(z1 q1 + z2 q2), y = w . x.

Source: Neuromatch NeuroAI, week 1 day 5, tutorial 3, exercise 1, with its patterns q and signal x.
"""

import math
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pipeline.config import Interval, Section


class GainsConfig(Section):
    """Length of the signal, its noise, and the grid of both gains."""

    positions: Annotated[int, Field(ge=2)]
    noise: Annotated[float, Field(ge=0)]
    gains: Interval
    grid: Annotated[int, Field(ge=2)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]


def signal(config: GainsConfig, generator: torch.Generator) -> Float[Tensor, " position"]:
    """Return one period of a sine plus noise."""
    clean = torch.linspace(0, 2 * math.pi, config.positions, dtype=torch.float64).sin()
    noise = torch.randn(config.positions, generator=generator, dtype=torch.float64)
    return clean + config.noise * noise


def patterns(positions: int) -> Float[Tensor, "2 position"]:
    """Return q1, which falls, and q2, which rises, along the positions; each sums to 1."""
    falling = 1 - torch.linspace(-3, 7, positions, dtype=torch.float64).sigmoid()
    rising = torch.linspace(-7, 3, positions, dtype=torch.float64).sigmoid()
    both = torch.stack([falling, rising])
    return both / both.sum(1, keepdim=True)


def attend(
    x: Float[Tensor, " position"],
    q: Float[Tensor, "2 position"],
    z: Float[Tensor, "*grid 2"],
) -> tuple[Float[Tensor, "*grid position"], Float[Tensor, "*grid"]]:
    """Return the weights w and the outputs y for each pair of gains."""
    weights = (z @ q).softmax(-1)
    return weights, weights @ x


def grid(config: GainsConfig) -> Float[Tensor, "first second 2"]:
    """Return all pairs of gains."""
    axis = torch.linspace(*config.gains, config.grid, dtype=torch.float64)
    return torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1)


def effective_positions(weights: Float[Tensor, "*grid position"]) -> Float[Tensor, "*grid"]:
    """Return exp(entropy): over how many positions the weights are spread, 1 to T."""
    return torch.special.entr(weights).sum(-1).exp()
