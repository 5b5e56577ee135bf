"""E8: the landscapes of all temperatures in one record."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from pipeline.core.stats.intervals import Summary
from pipeline.labs.energy.measure.landscape import Landscape, LandscapeConfig


@dataclass(frozen=True)
class Landscapes:
    """``landscape.npz``: energy, basin, fixed points and paths at each beta, on one grid.

    ``basin`` numbers the fixed point that a grid point ends in. A beta has ``attractor_count``
    fixed points; the rest of its row of ``attractors`` is nan.
    """

    betas: Float64[np.ndarray, " beta"]
    patterns: Float64[np.ndarray, "pattern 2"]
    axis: Float64[np.ndarray, " x"]
    energy: Float64[np.ndarray, "beta x x"]
    basin: Int64[np.ndarray, "beta x x"]
    attractor_count: Int64[np.ndarray, " beta"]
    attractors: Float64[np.ndarray, "beta attractor 2"]
    paths: Float64[np.ndarray, "beta step path 2"]


def results(config: LandscapeConfig, landscapes: Sequence[Landscape]) -> dict[str, Summary]:
    """Return how many fixed points the grid reaches at each beta."""
    return {
        f"beta_{beta:g}": {"fixed_points": len(landscape.attractors)}
        for beta, landscape in zip(config.betas, landscapes, strict=True)
    }


def arrays(config: LandscapeConfig, landscapes: Sequence[Landscape]) -> Landscapes:
    """Stack the landscapes, one for each beta of the configuration."""
    counts = [len(landscape.attractors) for landscape in landscapes]
    attractors = np.full((len(landscapes), max(counts), 2), np.nan)
    for row, landscape in zip(attractors, landscapes, strict=True):
        row[: len(landscape.attractors)] = landscape.attractors.numpy()
    return Landscapes(
        betas=np.array(config.betas),
        patterns=np.array(config.patterns),
        axis=landscapes[0].axis.numpy(),
        energy=np.stack([landscape.energy.numpy() for landscape in landscapes]),
        basin=np.stack([landscape.basin.numpy() for landscape in landscapes]),
        attractor_count=np.array(counts, dtype=np.int64),
        attractors=attractors,
        paths=np.stack([landscape.paths.numpy() for landscape in landscapes]),
    )
