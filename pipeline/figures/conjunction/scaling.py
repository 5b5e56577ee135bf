"""C5: samples needed against the number of positions."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, LINES, StyleConfig

NAMES = {
    "head": "one query (CLS)",
    "elimination": "elimination (limit)",
    "ablated_tutorial": "tutorial's attention",
    "mlp": "MLP",
    "linear": "linear",
}
SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
APART = 1.025  # factor on T between neighbouring variants


def scaling(config: StyleConfig, needs: pd.DataFrame, laws: pd.DataFrame, about: str) -> Figure:
    """Draw all learners on logarithmic axes, and the slow ones on a linear axis of samples.

    ``needs`` has columns learner, positions, samples, low, high; ``laws`` learner, exponent and
    its interval, power_error, per_doubling, logarithm_error.
    """
    title = f"C5  Samples needed for {about}\nintervals: bootstrap over seeds"
    figure, axes = style.panels(config, 1, 2, title, width=1.7)
    left, right = axes[0]
    by_learner = laws.set_index("learner")
    for k, (learner, name) in enumerate(NAMES.items()):
        own = needs[needs.learner == learner]
        law = by_learner.loc[learner] if learner in by_learner.index else None
        label = name
        if law is not None and np.isfinite(law.exponent):
            label += (
                f": $T^{{{law.exponent:.2f}}}$ [{law.exponent_low:.2f}, {law.exponent_high:.2f}]"
            )
        draw_curve(left, own, COLOURS[k], label)
        if learner in ("head", "elimination"):
            per = "" if law is None else f": {law.per_doubling:.1f} a doubling"
            draw_curve(right, own, COLOURS[k], name + per)
    left.set(xscale="log", yscale="log")
    right.set(xscale="log", ylim=(0, None))
    left.set_title("power laws", loc="left")
    right.set_title("a straight line here is the logarithm", loc="left")
    right.legend()
    # Long entries: six beside each other would run off the figure.
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    for axis in axes[0]:
        label_axes(axis, needs.positions)
    label_sizes(left, needs)
    return figure


def ablation(config: StyleConfig, needs: pd.DataFrame, laws: pd.DataFrame, about: str) -> Figure:
    """Draw the variants of the tutorial's attention: their curves, and their exponents."""
    title = (
        f"C5  The tutorial's attention, one part changed at a time: samples for {about}\n"
        "intervals: bootstrap over seeds; hollow: a $T$ lies beyond the search and is left out"
    )
    figure, axes = style.panels(config, 1, 2, title, width=1.7)
    left, right = axes[0]
    names = list(dict.fromkeys(laws.learner))
    most = needs[needs.learner.isin(names)].groupby("learner").positions.nunique().max()
    for k, name in enumerate(names):
        colour, line = COLOURS[k % len(COLOURS)], LINES[k // len(COLOURS)]
        label = name.removeprefix("ablated_").replace("_", " ")
        own = needs[needs.learner == name]
        # Set apart sideways, so that intervals do not hide each other.
        beside = own.assign(positions=own.positions * APART ** (k - len(names) / 2))
        draw_curve(left, beside, colour, label, line)
        law: Mapping[str, float] = laws[laws.learner == name].iloc[0].to_dict()
        middle = law["exponent"]
        around = [[middle - law["exponent_low"]], [law["exponent_high"] - middle]]
        whole = needs[needs.learner == name].positions.nunique() == most
        face = colour if whole else "white"
        right.errorbar(
            middle, -k, xerr=np.abs(around), color=colour, marker="o", markerfacecolor=face,
            capsize=3,
        )  # fmt: skip
    labels = [name.removeprefix("ablated_").replace("_", " ") for name in names]
    right.set_yticks([-k for k in range(len(names))], labels)
    right.set(xlabel="exponent of $T$")
    left.set(xscale="log", yscale="log")
    style.legend_below(figure, left)
    label_axes(left, needs[needs.learner.isin(names)].positions)
    label_sizes(left, needs[needs.learner.isin(names)])
    return figure


def draw_curve(axis: Axes, own: pd.DataFrame, colour: str, label: str, line: str = "-") -> None:
    """Draw one learner's samples with intervals."""
    around = np.abs([own.samples - own.low, own.high - own.samples])
    axis.errorbar(
        own.positions, own.samples, yerr=around, color=colour, label=label, linestyle=line,
        marker="o", markersize=3, capsize=2,
    )  # fmt: skip


def label_axes(axis: Axes, positions: pd.Series) -> None:
    """Name the axes, with a tick at each T."""
    ticks = sorted(set(positions))
    axis.set_xticks(ticks, [str(t) for t in ticks])
    axis.minorticks_off()
    axis.set(xlabel="positions $T$", ylabel="samples $m$")


def label_sizes(axis: Axes, needs: pd.DataFrame) -> None:
    """Put ticks on a logarithmic axis of samples where the data are."""
    if needs.empty:
        axis.set_yticks([])  # a logarithmic axis without data has no place for ticks
        return
    inside = [m for m in SIZES if needs.low.min() <= m <= needs.high.max()]
    axis.set_yticks(inside, [f"{m:,}" for m in inside])
    axis.minorticks_off()
