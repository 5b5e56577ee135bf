"""E8: the energy landscape in two dimensions, with retrieval paths and basins."""

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float, Int
from pydantic import AfterValidator, Field, model_validator
from torch import Tensor

from pipeline.bounds import Count, Positive, Real, Tolerance, refuse_large
from pipeline.config import Interval, Section, distinct
from pipeline.labs.energy.models import continuous


class LandscapeConfig(Section):
    """Stored ``patterns`` [x, y], and the betas at which to draw; ``grid`` points a side.

    Paths of ``path_steps`` steps of size ``gamma`` start on a coarse lattice of ``path_starts`` a
    side. Two end points nearer than ``merge_distance`` are one fixed point.
    """

    patterns: Annotated[tuple[tuple[Real, Real], ...], Field(min_length=2)]
    betas: Annotated[tuple[Positive, ...], Field(min_length=1), AfterValidator(distinct)]
    window: Interval
    grid: Annotated[int, Field(ge=8, le=4096)]
    path_starts: Annotated[int, Field(ge=2, le=4096)]
    gamma: Annotated[float, Field(ge=1e-6, le=2)]
    path_steps: Count
    tolerance: Tolerance
    max_steps: Count
    merge_distance: Annotated[float, Field(ge=1e-12, le=1e6)]

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "LandscapeConfig":
        refuse_large("grid * grid * patterns", self.grid, self.grid, len(self.patterns))
        starts = self.path_starts
        refuse_large("path_starts * path_starts * path_steps", starts, starts, self.path_steps)
        return self


@dataclass(frozen=True)
class Landscape:
    """One temperature: the surface, where each grid point ends, its fixed points, and paths."""

    axis: Float[Tensor, " x"]
    energy: Float[Tensor, "y x"]
    basin: Int[Tensor, "y x"]
    attractors: Float[Tensor, "attractor 2"]
    paths: Float[Tensor, "step path 2"]


def landscape(config: LandscapeConfig, beta: float) -> Landscape:
    """Compute the landscape at one beta (float64)."""
    patterns = torch.tensor(config.patterns, dtype=torch.float64)
    axis, points = lattice(config.window, config.grid)
    ends, _ = continuous.fixed_points(
        points, patterns, beta, tolerance=config.tolerance, max_steps=config.max_steps
    )
    attractors, basin = continuous.basins(ends, config.merge_distance)
    _, states = lattice(config.window, config.path_starts)
    path = [states]
    for _ in range(config.path_steps):
        path.append(continuous.update(path[-1], patterns, beta, config.gamma))
    side = (config.grid, config.grid)
    surface = continuous.energy(points, patterns, beta).view(side)
    return Landscape(axis, surface, basin.view(side), attractors, torch.stack(path))


def lattice(
    window: tuple[float, float], side: int
) -> tuple[Float[Tensor, " x"], Float[Tensor, "point 2"]]:
    """Return the coordinates of a square lattice and its points, y slowest."""
    axis = torch.linspace(*window, side, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return axis, torch.stack([x.flatten(), y.flatten()], dim=1)
