"""Axes of positions T and samples m."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

SIZES = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def draw_curve(axis: Axes, curve: pd.DataFrame, colour: str, label: str, line: str = "-") -> None:
    """Draw one learner's samples with intervals."""
    around = np.abs([curve.samples - curve.low, curve.high - curve.samples])
    axis.errorbar(
        curve.positions, curve.samples, yerr=around, color=colour, label=label, linestyle=line,
        marker="o", markersize=3, capsize=2,
    )  # fmt: skip


def draw_most(axis: Axes, curve: pd.DataFrame, colour: str) -> None:
    """Draw what nine of a learner's seeds in ten need, with intervals, where it is known."""
    known = curve[curve.most.notna()]
    around = np.abs([known.most - known.most_low, known.most_high - known.most])
    axis.errorbar(
        known.positions, known.most, yerr=around, color=colour, linestyle=":", marker="o",
        markersize=3, markerfacecolor="white", capsize=2,
    )  # fmt: skip


def label_axes(axis: Axes, positions: "pd.Series[int]") -> None:
    """Name the axes, with a tick at each T."""
    ticks = sorted(set(positions))
    axis.set_xticks(ticks, [str(t) for t in ticks])
    axis.minorticks_off()
    axis.set(xlabel="positions $T$", ylabel="samples $m$")


def label_sizes(axis: Axes, complexity: pd.DataFrame) -> None:
    """Put ticks on a logarithmic axis of samples where the data are."""
    if complexity.empty:
        axis.set_yticks([])  # a logarithmic axis without data has no place for ticks
        return
    inside = [m for m in SIZES if complexity.low.min() <= m <= complexity.high.max()]
    axis.set_yticks(inside, [f"{m:,}" for m in inside])
    axis.minorticks_off()
