"""E5: the phase diagram of fixed points, and hysteresis."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from pipeline.core.stats.intervals import Summary
from pipeline.figures import style
from pipeline.figures.energy import names
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.energy.measure.phases import KINDS
from pipeline.labs.energy.report.phases import PhaseArrays

BRANCHES = ("from the average, $\\beta$ rising", "from a pattern, $\\beta$ falling")


def phases(config: StyleConfig, arrays: PhaseArrays, results: dict[str, Summary]) -> Figure:
    """Draw how many patterns a fixed point averages over, and both branches at similarity 0."""
    ends = results["hysteresis"]
    low, high = ends["single_branch_ends"], ends["global_branch_ends"]
    verdict = (
        f"the average and single patterns are both stable from $\\beta$ = {low:.1f} to {high:.1f}"
        if low < high
        else "the average and single patterns are nowhere both stable"
    )
    title = f"E5 Fixed points, from global average over metastable subset to pattern:\n{verdict}"
    figure, [[left, middle, right]] = style.panels(config, 1, 3, title)
    diagram(left, arrays)
    for k, label in enumerate(BRANCHES):
        for axes, series in ((middle, arrays.branch_number), (right, arrays.branch_energy)):
            style.banded(axes, arrays.branch_betas, series[k], COLOURS[k], label=label)
    middle.set(yscale="log", ylabel="patterns averaged, exp(entropy)")
    right.set(ylabel="energy of the fixed point")
    first, last = arrays.branch_betas[[0, -1]]
    ticks = [beta for beta in (1, 2, 5, 10, 20, 40, 80) if first <= beta <= last]
    for axes in (middle, right):
        if "equal_energy" in results:
            beta = results["equal_energy"]["beta"]
            axes.axvline(beta, color=TRUTH, linewidth=0.8, linestyle=":",
                         label=f"equal energies, $\\beta$ = {beta:.1f}")  # fmt: skip
        axes.set(xscale="log", xlabel="$\\beta$")
        axes.set_title(f"similarity 0, median of {ends['n']} seeds")
        axes.set_xticks(ticks, [str(t) for t in ticks])
        axes.set_xticks([], minor=True)
    right.legend(loc="lower right")
    return figure


def diagram(axes: Axes, arrays: PhaseArrays) -> None:
    """Draw the phase diagram: the number averaged over in colour, the kind as a letter."""
    number, betas, similarities = arrays.effective_number, arrays.betas, arrays.similarities
    edges = [np.arange(len(values) + 1) - 0.5 for values in (betas, similarities)]
    mesh = axes.pcolormesh(*edges, number, norm=LogNorm(1, number.max()), cmap="viridis")
    for row, column in np.ndindex(number.shape):
        kind = KINDS[int(arrays.fraction[:, row, column].argmax())]
        colour = "white" if number[row, column] < number.max() / 8 else "black"
        axes.text(column, row, names.KINDS[kind], ha="center", va="center", fontsize=6,
                  color=colour)  # fmt: skip
    axes.figure.colorbar(mesh, ax=axes, label="patterns averaged, exp(entropy)")
    every = range(0, len(betas), 4)
    axes.set_xticks(list(every), [f"{betas[k]:g}" for k in every])
    axes.set_yticks(range(len(similarities)), [f"{s:g}" for s in similarities])
    axes.set(xlabel="$\\beta$", ylabel="similarity within clusters")
    axes.set_title(", ".join(f"{letter} {kind}" for kind, letter in names.KINDS.items()))
    axes.grid(visible=False)
