"""E1: overlap against load in the classical network."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.core.stats.intervals import Summary
from pipeline.figures import style
from pipeline.figures.energy import names
from pipeline.figures.style import COLOURS, LINES, TRUTH, StyleConfig

CROSSING = "crossing_d"  # and the two sizes: crossing_d500_d1000


def overlaps(
    config: StyleConfig,
    curves: pd.DataFrame,
    theory: pd.DataFrame,
    results: dict[str, Summary],
    threshold: float,
) -> Figure:
    """Draw overlap and retrieved fraction against load by size, and by dynamics at one size.

    ``threshold`` is the overlap above which a state counts as retrieved.
    """
    # The largest pair of sizes comes last.
    name, last = [item for item in results.items() if item[0].startswith(CROSSING)][-1]
    pair = name.removeprefix(CROSSING).replace("_d", " and ")
    title = (
        "E1 Classical network: retrieval breaks down at a load of "
        f"{names.bracketed(last, 'critical_load', 4)} (d = {pair}, {last['n']} draws);\n"
        f"mean-field theory {results['theory']['critical_load']:.4f}"
    )
    figure, [[left, middle, right]] = style.panels(config, 1, 3, title)
    by_size = curves[(curves["dynamics"] == "asynchronous") & ~curves["diagonal"]]
    for k, (d, points) in enumerate(by_size.groupby("d")):
        colour = COLOURS[k % len(COLOURS)]
        style.banded(left, points["load"].to_numpy(),
                     points[["overlap", "low", "high"]].to_numpy().T, colour,
                     label=f"d = {d}")  # fmt: skip
        middle.plot(points["load"], points["retrieved"], ".-", color=colour, label=f"d = {d}")
    left.plot(theory["load"], theory["overlap"], color=TRUTH, label="mean field")
    middle.axvspan(last["critical_load_low"], last["critical_load_high"], color="0.85",
                   label=f"crossing of d = {pair}")  # fmt: skip
    for axes in (left, middle):
        axes.axvline(results["theory"]["critical_load"], color=TRUTH, linewidth=0.8, linestyle=":")
    # An interval may be wider than all loads: it must not press the curves flat.
    middle.set_xlim(0, 1.05 * curves["load"].max())
    size = dynamics(right, curves)
    draws = names.span(by_size["n"].tolist())
    left.set(ylabel="overlap m", title=f"median of {draws} draws, interval")
    middle.set(ylabel="fraction of states retrieved", title=f"retrieved: m > {threshold:g}")
    right.set(ylabel="mean overlap m", title=f"four dynamics at d = {size}")
    for axes in (left, middle, right):
        axes.set(xlabel="load N / d", ylim=(0, 1.03))
        axes.legend(loc="lower left")
    return figure


def dynamics(axes: Axes, curves: pd.DataFrame) -> int:
    """Draw the mean overlap under the four dynamics, at the size that has them; return it."""
    size = int(curves.loc[curves["diagonal"], "d"].iloc[0])
    at_size = curves[curves["d"] == size]
    for k, ((kind, diagonal), label) in enumerate(names.DYNAMICS.items()):
        points = at_size[(at_size["dynamics"] == kind) & (at_size["diagonal"] == diagonal)]
        axes.plot(points["load"], points["mean"], color=COLOURS[k], label=label, linestyle=LINES[k])
    return size
