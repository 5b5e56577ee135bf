"""E5: the phase diagram of fixed points, and hysteresis."""

from typing import Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

BRANCHES = ("from the average, $\\beta$ rising", "from a pattern, $\\beta$ falling")


def phases(
    config: StyleConfig, found: dict[str, Any], metrics: dict[str, dict[str, float]]
) -> Figure:
    """Draw how many patterns a fixed point averages over, and both branches at similarity 0."""
    title = (
        "E5 Fixed points: global average, metastable subset, single pattern; "
        "the change is of first order, with hysteresis"
    )
    figure, [[left, middle, right]] = style.panels(config, 1, 3, title)
    number = found["effective"]
    edges = np.arange(len(found["similarities"]) + 1) - 0.5
    betas = found["betas"]
    mesh = left.pcolormesh(
        np.arange(len(betas) + 1) - 0.5, edges, number, norm=LogNorm(1, number.max()),
        cmap="viridis",
    )  # fmt: skip
    for row, column in np.ndindex(number.shape):
        kind = int(found["fraction"][:, row, column].argmax())
        left.text(column, row, "GMS"[kind], ha="center", va="center", fontsize=6,
                  color="white" if number[row, column] < 8 else "black")  # fmt: skip
    figure.colorbar(mesh, ax=left, label="patterns averaged, exp(entropy)")
    every = range(0, len(betas), 4)
    left.set_xticks(list(every), [f"{betas[k]:g}" for k in every])
    left.set_yticks(range(len(edges) - 1), [f"{s:g}" for s in found["similarities"]])
    left.set(xlabel="$\\beta$", ylabel="similarity within clusters",
             title="G global, M metastable, S single")  # fmt: skip
    left.grid(visible=False)
    for k, label in enumerate(BRANCHES):
        style.banded(middle, found["branch_betas"], found["number"][k], COLOURS[k], label=label)
        style.banded(right, found["branch_betas"], found["energy"][k], COLOURS[k], label=label)
    middle.set(xscale="log", yscale="log", xlabel="$\\beta$", ylabel="patterns averaged")
    right.set(xscale="log", xlabel="$\\beta$", ylabel="energy of the fixed point")
    for axes in (middle, right):
        if "equal_energy" in metrics:
            beta = metrics["equal_energy"]["beta"]
            axes.axvline(beta, color=TRUTH, linewidth=0.8, linestyle=":", label="equal energies")
        axes.set_title(f"similarity 0, median of {metrics['hysteresis']['n']} seeds")
        ticks = [2, 5, 10, 20, 40]
        axes.set_xticks(ticks, [str(t) for t in ticks])
        axes.set_xticks([], minor=True)
    middle.legend(loc="upper right", bbox_to_anchor=(1.0, 0.8))
    return figure
