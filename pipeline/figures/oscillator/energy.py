"""The energy of every model of the lab."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.oscillator import names
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.oscillator.report.energy import CONSERVED, Verdict

LABELS = {"energy_drift": "drift at the end", "energy_spread": "spread over time"}
ROWS = 8  # models in the height of one panel


def energies(
    config: StyleConfig, table: pd.DataFrame, verdict: Verdict, words: Callable[[str], str]
) -> Figure:
    """Draw energy's drift and spread of every model, a panel an experiment, the best model on top.

    The rows are those of the energy table (QuantityRow); ``words`` names a model.
    """
    title = (
        f"O2  Does energy decay as it should? Within {CONSERVED:.0%} (drift and spread) "
        f"for {verdict.conserving} of {verdict.models} trained models\n"
        f"median over {names.count(table.n, 'seed')} with its interval; oracles are not counted"
    )
    groups = list(table.groupby("experiment", sort=False))
    sizes = [part.condition.nunique() for _, part in groups]
    # Titles of the panels take the room of a row and a half.
    height = (sum(sizes) + 1.5 * len(groups)) / ROWS
    figure = style.canvas(config, 3.2, max(1.0, height), title)
    axes = figure.subplots(len(groups), 1, sharex=True, squeeze=False, height_ratios=sizes)
    for axis, (experiment, part) in zip(axes[:, 0], groups, strict=True):
        draw_models(axis, part, words)
        axis.set_title(names.experiment(str(experiment)), loc="left")
    axes[-1, 0].set_xlabel(r"$|\ln\, E / E_{exact}|$")
    style.legend_below(figure, axes[0, 0])
    return figure


def draw_models(axis: Axes, table: pd.DataFrame, words: Callable[[str], str]) -> None:
    """Draw a row a model, sorted by drift."""
    drift = table[table.quantity == "energy_drift"].sort_values("median", kind="stable")
    order = list(drift.condition)
    for k, (quantity, label) in enumerate(LABELS.items()):
        part = table[table.quantity == quantity]
        where = np.array([order.index(model) for model in part.condition])
        style.intervals(axis, part, where + 0.2 * (k - 0.5), COLOURS[k], label)
    axis.axvline(CONSERVED, color=TRUTH, linewidth=0.8, linestyle=":", label=f"{CONSERVED:.0%}")
    axis.set_yticks(range(len(order)), [words(model) for model in order])
    axis.set(xscale="log", ylim=(len(order) - 0.5, -0.5))
