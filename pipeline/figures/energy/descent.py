"""E7: how often updates of the residual stream lower the energy of attention heads."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.core.stats.intervals import Summary
from pipeline.figures import style
from pipeline.figures.energy import names
from pipeline.figures.style import COLOURS, StyleConfig

MARKERS = ("o", "s", "x", "^")
STEPS = {"lowered": "full step", "downhill": "small step"}
WIDEST = 2.4  # of a model's label, in layers
LAYERS_A_PANEL = 9  # about as many as the width of one panel holds


def descent(config: StyleConfig, table: pd.DataFrame, counts: Summary, models: str) -> Figure:
    """Draw the fraction of lowered energies of every layer, for full and for small steps.

    ``counts`` is ``E7.all_layers`` of the results, ``models`` says whose models they are.
    """
    title = (
        f"E7 {models}: a layer's real update lowers its heads' energies more often than another\n"
        f"sequence's in {counts['excess_above_0']} of {counts['n_layers']} layers, less often in "
        f"{counts['excess_below_0']} (interval over {names.span(table['n'].tolist())} seeds)"
    )
    at, centres = positions(table)
    width = max(1.6, (max(at.values()) + 1) / LAYERS_A_PANEL)
    figure, rows = style.panels(config, 2, 1, title, width=width)
    for [axes], (kind, what) in zip(rows, STEPS.items(), strict=True):
        draw(axes, table, at, kind)
        axes.axhline(0.5, color="0.6", linewidth=0.8, linestyle=":")
        axes.set(ylim=(-0.03, 1.03), ylabel=f"energy falls, {what}", xlabel="layer of each model")
        axes.set_xticks(list(at.values()), [str(layer) for _, layer in at])
        axes.grid(visible=False, axis="x")
    above = rows[0][0].secondary_xaxis("top")
    above.set_xticks(list(centres.values()), [label.replace("), ", ")\n") for label in centres])
    above.tick_params(length=0)
    above.spines["top"].set_visible(False)
    style.legend_below(figure, rows[0][0])
    return figure


def positions(table: pd.DataFrame) -> tuple[dict[tuple[str, int], float], dict[str, float]]:
    """Return where each (model, layer) stands, and the centre of each model by description."""
    at: dict[tuple[str, int], float] = {}
    centres: dict[str, float] = {}
    start = 0.0
    for model, rows in table.groupby("model", sort=False):
        layers = list(dict.fromkeys(rows["layer"]))
        room = max(WIDEST, len(layers))
        first = start + (room - len(layers)) / 2
        at |= {(str(model), layer): first + k for k, layer in enumerate(layers)}
        centres[rows["description"].iloc[0]] = first + (len(layers) - 1) / 2
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
        axes.errorbar(np.array(x) - 0.24 + 0.16 * k, rows["median"], yerr=spread,
                      color=COLOURS[k], label=label, marker=MARKERS[k], linestyle="",
                      markersize=4, capsize=1.5)  # fmt: skip
