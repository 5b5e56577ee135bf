"""E7: how often updates of the residual stream lower the energy of attention heads."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.core.stats.intervals import Summary
from pipeline.figures import style
from pipeline.figures.energy import names
from pipeline.figures.style import COLOURS, StyleConfig

MARKERS = ("o", "s", "x", "^", "D")
STEPS = {"downhill": "small step", "lowered": "full step"}
LABEL_ROOM = 3.6  # that a model's label takes, in layers
LAYERS_A_PANEL = 9  # about as many as the width of one panel holds
NARROWEST = 2.5  # panels: room for the title and the legend


def descent(config: StyleConfig, table: pd.DataFrame, counts: Summary, models: str) -> Figure:
    """Draw the fraction of lowered energies of every layer, for small steps and for full ones.

    ``counts`` is ``E7.all_layers`` of the results, ``models`` says whose models they are.
    """
    above, below, layers = (
        counts[k] for k in ("downhill_excess_above_0", "downhill_excess_below_0", "n_layers")
    )
    title = (
        f"E7 {models}: a small step along a layer's update lowers its heads' energies\n"
        f"more often than another sequence's in {above} of all {layers} layers, less often in "
        f"{below} (interval over {names.span(table['n'].tolist())} seeds)"
    )
    at, centres = positions(table)
    end = max(at.values()) + LABEL_ROOM / 2
    width = max(NARROWEST, end / LAYERS_A_PANEL)
    figure, rows = style.panels(config, 2, 1, title, width=width)
    for [axes], (kind, what) in zip(rows, STEPS.items(), strict=True):
        draw(axes, table, at, kind)
        axes.axhline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        axes.set(
            xlim=(-LABEL_ROOM / 4, end),
            ylim=(-0.03, 1.03),
            ylabel=f"energy falls, {what}",
            xlabel="layer of each model",
        )
        axes.set_xticks(list(at.values()), [str(layer) for _, layer in at])
        axes.grid(visible=False, axis="x")
    top = rows[0][0].secondary_xaxis("top")
    top.set_xticks(
        [centre for _, centre in centres], [label.replace("), ", ")\n") for label, _ in centres]
    )
    top.tick_params(length=0)
    top.spines["top"].set_visible(False)
    style.legend_below(figure, rows[0][0])
    return figure


def positions(table: pd.DataFrame) -> tuple[dict[tuple[str, int], float], list[tuple[str, float]]]:
    """Return where each (model, layer) stands, and each model's description with its centre."""
    at: dict[tuple[str, int], float] = {}
    centres: list[tuple[str, float]] = []
    start = 0.0
    for model, rows in table.groupby("model", sort=False):
        layers = list(dict.fromkeys(rows["layer"]))
        room = max(LABEL_ROOM, len(layers))
        first = start + (room - len(layers)) / 2
        at |= {(str(model), layer): first + k for k, layer in enumerate(layers)}
        centres.append((str(rows["description"].iloc[0]), first + (len(layers) - 1) / 2))
        start += room + 1
    return at, centres


def draw(axes: Axes, table: pd.DataFrame, at: dict[tuple[str, int], float], kind: str) -> None:
    """Draw one kind of fraction: a place for each layer, a marker for each direction."""
    for k, (name, label) in enumerate(names.DIRECTIONS.items()):
        rows = table[table["quantity"] == f"{kind}_{name}"]
        if rows.empty:
            continue
        x = [at[model, layer] for model, layer in zip(rows["model"], rows["layer"], strict=True)]
        spread = np.abs([rows["median"] - rows["low"], rows["high"] - rows["median"]])
        axes.errorbar(np.array(x) - 0.26 + 0.13 * k, rows["median"], yerr=spread,
                      color=COLOURS[k], label=label, marker=MARKERS[k], linestyle="",
                      markersize=4, capsize=1.5)  # fmt: skip
