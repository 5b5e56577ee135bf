"""E7: how often updates of the residual stream lower the energy of attention heads."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, StyleConfig

LABELS = {
    "real": "the layer's real update",
    "other_sequence": "another sequence's, same norm",
    "random": "random direction, same norm",
    "minus_gradient": "minus the gradient, same norm",
}
MARKERS = ("o", "s", "x", "^")


def descent(config: StyleConfig, table: pd.DataFrame, title: str) -> Figure:
    """Draw, for every layer, the fraction of lowered energies for full and for small steps."""
    layers = list(dict.fromkeys(table["layer"]))
    rows = max(1, len(layers) // 9 + 1)
    figure, [[left, right]] = style.panels(
        config.model_copy(update={"panel_height": config.panel_height * rows}), 1, 2,
        title, width=1.5,
    )  # fmt: skip
    seeds = int(table["n"].max())
    for axes, kind, what in ((left, "lowered", "full update"), (right, "downhill", "small step")):
        draw(axes, table, layers, kind)
        axes.set(xlim=(-0.03, 1.03), title=f"{what}: energy falls (median of {seeds} seeds)",
                 xlabel="fraction of sequences, positions, heads")  # fmt: skip
        axes.axvline(0.5, color="0.6", linewidth=0.8, linestyle=":")
    left.set_yticks(
        -np.arange(len(layers)),
        [name.replace("_", " ").replace("layer", "layer ") for name in layers],
    )
    right.set_yticks(-np.arange(len(layers)), [""] * len(layers))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def draw(axes: Axes, table: pd.DataFrame, layers: list[str], kind: str) -> None:
    """Draw one kind of fraction: a row for each layer, a marker for each direction."""
    for k, (name, label) in enumerate(LABELS.items()):
        own = table[table["quantity"] == f"{kind}_{name}"].set_index("layer")
        if own.empty:
            continue
        own = own.loc[layers]
        at = -np.arange(len(layers)) + 0.24 - 0.16 * k
        spread = np.abs([own["median"] - own["low"], own["high"] - own["median"]])
        axes.errorbar(own["median"], at, xerr=spread, color=COLOURS[k], label=label,
                      marker=MARKERS[k], linestyle="", markersize=4, capsize=1.5)  # fmt: skip
