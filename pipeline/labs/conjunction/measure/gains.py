"""C1: attention whose weights are set by two gains, w = softmax(z1 q1 + z2 q2), y = w . x.

Source: Neuromatch NeuroAI, week 1 day 5, tutorial 3, exercise 1, with its patterns q and signal x.
"""

import math
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float, Float64
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.bounds import NonNegative, Seed, refuse_large
from pipeline.config import Interval, Section
from pipeline.core.training.sampling import generators

ROUNDING = 1e-12  # relative; entropies of up to 4096 weights in float64 are good to 1e-13


class GainsConfig(Section):
    """Length of the signal, its noise, and the grid of both gains."""

    positions: Annotated[int, Field(ge=2, le=4096)]
    noise: NonNegative
    gains: Interval
    grid: Annotated[int, Field(ge=2, le=4096)]
    seed: Seed

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "GainsConfig":
        refuse_large("grid * grid * positions", self.grid, self.grid, self.positions)
        return self


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


@dataclass(frozen=True, kw_only=True)
class GainGrid:
    """What gains.npz holds: signal x, patterns q, and attention for each pair of gains z."""

    x: Float64[np.ndarray, " position"]
    q: Float64[np.ndarray, "2 position"]
    z: Float64[np.ndarray, " gain"]
    weights: Float64[np.ndarray, "gain gain position"]
    output: Float64[np.ndarray, "gain gain"]
    effective_positions: Float64[np.ndarray, "gain gain"]


def measure(config: GainsConfig) -> GainGrid:
    """Compute weights, outputs and effective positions over the whole grid of gains."""
    x = signal(config, generators([config.seed])[0])
    q, z = patterns(config.positions), grid(config)
    weights, output = attend(x, q, z)
    return GainGrid(
        x=x.numpy(),
        q=q.numpy(),
        z=z[:, 0, 0].numpy(),
        weights=weights.numpy(),
        output=output.numpy(),
        effective_positions=effective_positions(weights).numpy(),
    )


def rises(
    effective: Float64[np.ndarray, "*line gain"],
) -> Float64[np.ndarray, "*line step"]:
    """Return by how many positions the weights widen at each step of the last axis; 0: narrower.

    A step that rounding alone can make counts as none.
    """
    step = np.diff(effective, axis=-1)
    return np.where(step > ROUNDING * effective[..., :-1], step, 0.0)


def summarise(grid: GainGrid) -> dict[str, float | int]:
    """Return the effective positions at the grid's corners, and where more gain widens the weights.

    ``widening_share`` is the share of the grid's steps along either gain, the other one fixed, at
    which attention spreads over *more* positions (0: weights grow sparser monotonically), and
    ``widening_max`` the largest such step, in positions. ``together`` is the same along the
    diagonal, where both gains grow together from the lowest.
    """
    effective = grid.effective_positions
    steps = np.stack([rises(effective), rises(effective.T)])
    together = rises(np.diagonal(effective))
    return {
        "effective_positions_min_gain": float(effective[0, 0]),
        "effective_positions_max_gain": float(effective[-1, -1]),
        "effective_positions_least": float(effective.min()),
        "widening_share": float((steps > 0).mean()),
        "widening_max": float(steps.max()),
        "widening_share_together": float((together > 0).mean()),
        "widening_steps": int(steps.size),
        "n": 1,
    }
