"""E8: the energy landscape in two dimensions, its basins, and paths of retrieval."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, StyleConfig


@dataclass(frozen=True)
class Surface:
    """One temperature's landscape: energy and basin of each grid point, fixed points, paths."""

    beta: float
    axis: Float[np.ndarray, " x"]
    energy: Float[np.ndarray, "y x"]
    basin: Int[np.ndarray, "y x"]
    attractors: Float[np.ndarray, "attractor 2"]
    paths: Float[np.ndarray, "step path 2"]


def landscape(
    config: StyleConfig, surfaces: list[Surface], patterns: Float[np.ndarray, "pattern 2"]
) -> Figure:
    """Draw one panel for each beta: basins in colour, energy as contours, paths as lines."""
    title = "E8 The landscape of retrieval: as $\\beta$ grows the basins part and the fixed points "
    title += "move onto the stored patterns"
    figure, [panels] = style.panels(config, 1, len(surfaces), title)
    for axes, surface in zip(panels, surfaces, strict=True):
        count = len(surface.attractors)
        axes.pcolormesh(
            surface.axis, surface.axis, surface.basin % len(COLOURS), shading="nearest",
            cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=len(COLOURS) - 0.5, alpha=0.3,
            rasterized=True, linewidth=0,
        )  # fmt: skip
        axes.contour(
            surface.axis, surface.axis, surface.energy, levels=14, colors="0.35",
            linestyles="solid", linewidths=0.5,
        )  # fmt: skip
        axes.plot(*surface.paths.transpose(2, 0, 1), color="0.1", linewidth=0.6)
        axes.plot(*patterns.T, "k*", markersize=8, label="stored pattern")
        axes.plot(*surface.attractors.T, "o", color="white", markeredgecolor="black", markersize=5,
                  label="fixed point")  # fmt: skip
        axes.set(aspect="equal", xlabel="$\\xi_1$", ylabel="$\\xi_2$")
        axes.set_title(f"$\\beta$ = {surface.beta:g}: {count} basin{'s' if count > 1 else ''}")
        axes.grid(visible=False)
    panels[0].legend(loc="upper left", frameon=True)
    return figure
