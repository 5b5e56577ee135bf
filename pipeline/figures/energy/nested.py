"""E7: is a nested hierarchy of energies lowered in a forward pass?"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.energy import names
from pipeline.figures.style import COLOURS, StyleConfig

PANELS = {
    "every_own": "every layer lowers its own energy",
    "every_joint": "every layer lowers the sum of energies",
    "through": "the sum ends lower than it starts",
}
SIZES = {"small": "to first order", "full": "by the full update"}
ORDERS = {"own": "layers in their order", "shuffled": "layers shuffled"}


def nested(config: StyleConfig, table: pd.DataFrame, share: float) -> Figure:
    """Draw, for every model, the share of inputs in which energies fall, in both orders.

    ``share`` is the mark above which they would count as minimised.
    """
    models = list(dict.fromkeys(table["model"]))
    title = (
        "E7 Is a nested hierarchy of energies lowered in a forward pass?\n"
        f"(dotted: {share:g} of inputs; intervals over {names.span(table['n'].tolist())} seeds)"
    )
    # The models' names are two or three lines each.
    figure = style.canvas(config, 1.3 * len(PANELS), max(1.0, 0.4 * len(models)), title)
    row = figure.subplots(1, len(PANELS), squeeze=False)[0]
    for axes, (quantity, label) in zip(row, PANELS.items(), strict=True):
        sizes = {"": ""} if quantity == "through" else SIZES
        for k, (size, how) in enumerate(sizes.items()):
            name = f"{quantity}_{size}".rstrip("_")
            for j, (order, words) in enumerate(ORDERS.items()):
                rows = table[(table["quantity"] == name) & (table["order"] == order)]
                y = np.array([models.index(model) for model in rows["model"]])
                place = y + 0.18 * (2 * k + j - len(sizes) + 0.5)
                text = f"{words}, {how}" if how else f"{words}, through all layers"
                colour = COLOURS[2 * k + j] if how else COLOURS[4 + j]
                style.intervals(axes, rows, place, colour, text)
        axes.axvline(share, color="0.4", linewidth=0.8, linestyle=":")
        axes.set(title=label, xlabel="share of inputs", xlim=(-0.03, 1.03))
        words_of = dict(zip(table["model"], table["description"], strict=True))
        shown = [words_of[model].replace(", ", ",\n") for model in models]
        axes.set_yticks(range(len(models)), shown if axes is row[0] else [""] * len(models))
        axes.invert_yaxis()
    style.legend_below(figure, row[0], row[2])
    return figure
