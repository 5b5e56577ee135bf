"""E2 and E3: number of patterns against d."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.core.stats.intervals import Summary
from pipeline.figures import style
from pipeline.figures.energy import names
from pipeline.figures.style import COLOURS, StyleConfig
from pipeline.labs.energy.measure.capacity import DenseConfig, ExponentialConfig


def capacity(
    config: StyleConfig,
    table: pd.DataFrame,
    results: Mapping[str, Mapping[str, Summary]],
    dense: DenseConfig,
    exponential: ExponentialConfig,
) -> Figure:
    """Draw both kinds of capacity with their exponents and theories."""
    furthest = max(
        abs(curve["exponent"] - curve["theory"])
        for experiment in ("E2", "E3")
        for curve in results[experiment].values()
        if "exponent" in curve
    )
    title = (
        "E2, E3 Number of patterns N that one step retrieves: every measured exponent lies within "
        f"{furthest:.2f} of theory at the same d"
    )
    figure, [[left, right]] = style.panels(config, 1, 2, title, width=1.5)
    labels = {
        "E2": {name: f"a = {curve.power}" for name, curve in dense.interactions.items()},
        "E3": {name: names.criterion(stored) for name, stored in exponential.criteria.items()},
    }
    for axes, experiment in ((left, "E2"), (right, "E3")):
        points = table[table["experiment"] == experiment]
        for k, (name, curve) in enumerate(points.groupby("curve")):
            measured = results[experiment][str(name)]
            slope = f"{names.bracketed(measured, 'exponent', 2)}, theory {measured['theory']:.2f}"
            if "theory_ties" in measured:
                slope += f"\nwith ties {measured['theory_ties']:.2f}"
            draw(
                axes, curve, COLOURS[k % len(COLOURS)], f"{labels[experiment][str(name)]}: {slope}"
            )
        axes.plot([], [], color="0.4", linestyle="--", label="theory at finite d")
        if any("theory_ties" in curve for curve in results[experiment].values()):
            axes.plot([], [], color="0.4", linestyle=":", label="with ties one step farther")
        seeds = names.span(points["n"].tolist())
        legend = axes.legend(
            title=f"exponent [interval over {seeds} seeds]", loc="upper left",
            fontsize=config.font_size - 2, title_fontsize=config.font_size - 1,
        )  # fmt: skip
        legend.set_in_layout(False)  # long labels on small panels must not squeeze the axes
        axes.set(xlabel="d", ylabel="number of patterns N", yscale="log")
    left.set(xscale="log", title=f"F(x) = x$^a$, bit error {dense.bit_error:g}; N ~ d$^{{a-1}}$")
    ticks = sorted(set(table.loc[table["experiment"] == "E2", "d"]))[::2]
    left.set_xticks(ticks, [str(d) for d in ticks], minor=False)
    left.set_xticks([], minor=True)
    right.set(title="F(x) = e$^x$; N ~ 2$^{exponent\\,d}$")
    for axes in (left, right):  # room for the legend above the curves
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * (high / low) ** 1.1)
    return figure


def draw(axes: Axes, points: pd.DataFrame, colour: str, label: str) -> None:
    """Draw one curve: medians with intervals, the theory dashed, that with ties dotted."""
    points = points.sort_values("d")
    middle, low, high = (2.0 ** points[name].to_numpy() for name in ("log2_n", "low", "high"))
    axes.errorbar(points["d"], middle, np.abs([middle - low, high - middle]), color=colour,
                  label=label, marker=".", linestyle="-", capsize=2)  # fmt: skip
    axes.plot(points["d"], 2.0 ** points["theory"], color=colour, linestyle="--", alpha=0.7)
    if bool((points["theory_ties"] != points["theory"]).any()):
        axes.plot(points["d"], 2.0 ** points["theory_ties"], color=colour, linestyle=":")
