"""E9: what the inverse temperature does to a trained recall model, and to its fixed points."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.energy import names
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

KINDS = {
    "global": "average of nearly all keys",
    "metastable": "average of some keys (metastable)",
    "single": "one key",
}


def temperature(config: StyleConfig, table: pd.DataFrame) -> Figure:
    """Draw accuracy and number of fixed points, and the kinds of these, against beta."""
    at_one = table[(table["factor"] == 1) & (table["quantity"] == "metastable")].iloc[0]
    title = (
        "E9 Trained recall models made hotter and colder: at the inverse temperature of training,\n"
        f"{at_one['median']:.2f} of the fixed points mix some keys "
        f"(interval over {names.span(table['n'].tolist())} seeds)"
    )
    figure, [[left, right]] = style.panels(config, 1, 2, title, width=1.4)
    curve(left, table, "accuracy", TRUTH, "accuracy")
    curve(left, table, "minima", COLOURS[0], "distinct fixed points, per key")
    for colour, (kind, label) in zip(COLOURS[1:], KINDS.items(), strict=False):
        curve(right, table, kind, colour, label)
    for axes in (left, right):
        axes.axvline(1.0, color="0.6", linewidth=0.8, linestyle=":")
        axes.set_xscale("log", base=2)
        axes.set(xlabel="beta $\\cdot$ $\\sqrt{d_{head}}$ (1 in training)", ylim=(-0.03, 1.03))
    left.set_ylabel("fraction")
    right.set_ylabel("share of fixed points")
    style.legend_below(figure, left, right)
    return figure


def curve(axes: Axes, table: pd.DataFrame, quantity: str, colour: str, label: str) -> None:
    """Draw one quantity with its interval."""
    rows = table[table["quantity"] == quantity].sort_values("factor")
    band = np.stack([rows[name].to_numpy() for name in ("median", "low", "high")])
    style.banded(axes, rows["factor"].to_numpy(), band, colour, label=label)
