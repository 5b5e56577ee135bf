"""E5: the phase diagram of fixed points, and hysteresis."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

BRANCHES = ("from the average, $\\beta$ rising", "from a pattern, $\\beta$ falling")


def phases(
    config: StyleConfig, found: dict[str, Any], metrics: dict[str, dict[str, dict[str, float]]]
) -> Figure:
    """Draw how many patterns a fixed point averages over, and both branches at similarity 0."""
    title = (
        "E5 Fixed points: global average, metastable subset, single pattern; "
        "the change is of first order, with hysteresis"
    )
    figure, [[left, middle, right]] = style.panels(config, 1, 3, title)
    diagram(left, found)
    for k, label in enumerate(BRANCHES):
        style.banded(middle, found["branch_betas"], found["number"][k], COLOURS[k], label=label)
        style.banded(right, found["branch_betas"], found["energy"][k], COLOURS[k], label=label)
    middle.set(yscale="log", ylabel="patterns averaged")
    right.set(ylabel="energy of the fixed point")
    e5, low, high = metrics["E5"], found["branch_betas"][0], found["branch_betas"][-1]
    ticks = [beta for beta in (1, 2, 5, 10, 20, 40, 80) if low <= beta <= high]
    for axes in (middle, right):
        if "equal_energy" in e5:
            beta = e5["equal_energy"]["beta"]
            axes.axvline(beta, color=TRUTH, linewidth=0.8, linestyle=":", label="equal energies")
        axes.set(xscale="log", xlabel="$\\beta$")
        axes.set_title(f"similarity 0, median of {e5['hysteresis']['n']} seeds")
        axes.set_xticks(ticks, [str(t) for t in ticks])
        axes.set_xticks([], minor=True)
    middle.legend(loc="upper right", bbox_to_anchor=(1.0, 0.8))
    return figure


def diagram(axes: Axes, found: dict[str, Any]) -> None:
    """Draw the phase diagram: the number averaged over in colour, the kind as a letter."""
    number, betas, similarities = found["effective"], found["betas"], found["similarities"]
    edges = [np.arange(len(values) + 1) - 0.5 for values in (betas, similarities)]
    mesh = axes.pcolormesh(*edges, number, norm=LogNorm(1, number.max()), cmap="viridis")
    for row, column in np.ndindex(number.shape):
        kind = int(found["fraction"][:, row, column].argmax())
        colour = "white" if number[row, column] < number.max() / 8 else "black"
        axes.text(column, row, "GMS"[kind], ha="center", va="center", fontsize=6, color=colour)
    axes.figure.colorbar(mesh, ax=axes, label="patterns averaged, exp(entropy)")
    every = range(0, len(betas), 4)
    axes.set_xticks(list(every), [f"{betas[k]:g}" for k in every])
    axes.set_yticks(range(len(similarities)), [f"{s:g}" for s in similarities])
    axes.set(xlabel="$\\beta$", ylabel="similarity within clusters")
    axes.set_title("G global, M metastable, S single")
    axes.grid(visible=False)
