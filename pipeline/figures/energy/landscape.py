"""E8: the energy landscape in two dimensions, its basins, and paths of retrieval."""

from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, StyleConfig
from pipeline.labs.energy.report.landscape import Landscapes


def landscape(config: StyleConfig, landscapes: Landscapes) -> Figure:
    """Draw one panel for each beta: basins in colour, energy as contours, paths as lines."""
    counts = ", ".join(str(count) for count in landscapes.attractor_count)
    betas = ", ".join(f"{beta:g}" for beta in landscapes.betas)
    title = (
        f"E8 The landscape of retrieval of {len(landscapes.patterns)} patterns: "
        f"{counts} fixed points at $\\beta$ = {betas}"
    )
    figure, [panels] = style.panels(config, 1, len(landscapes.betas), title)
    for k, axes in enumerate(panels):
        draw(axes, landscapes, k)
    style.legend_below(figure, panels[0])
    return figure


def draw(axes: Axes, landscapes: Landscapes, k: int) -> None:
    """Draw the landscape at one beta."""
    count, axis = int(landscapes.attractor_count[k]), landscapes.axis
    axes.pcolormesh(
        axis, axis, landscapes.basin[k] % len(COLOURS), shading="nearest",
        cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=len(COLOURS) - 0.5, alpha=0.3,
        rasterized=True, linewidth=0,
    )  # fmt: skip
    axes.contour(
        axis, axis, landscapes.energy[k], levels=14, colors="0.35", linestyles="solid",
        linewidths=0.5,
    )  # fmt: skip
    axes.plot(*landscapes.paths[k].transpose(2, 0, 1), color="0.1", linewidth=0.6)
    axes.plot(*landscapes.patterns.T, "k*", markersize=8, label="stored pattern")
    axes.plot(*landscapes.attractors[k, :count].T, "o", color="white", markeredgecolor="black",
              markersize=5, label="fixed point")  # fmt: skip
    axes.set(aspect="equal", xlabel="$\\xi_1$", ylabel="$\\xi_2$")
    axes.set_title(f"$\\beta$ = {landscapes.betas[k]:g}: {count} basin{'s' if count > 1 else ''}")
    axes.grid(visible=False)
