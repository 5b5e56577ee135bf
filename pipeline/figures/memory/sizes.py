"""M3: the loss against each size of the model and of the task."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from pipeline.figures import style
from pipeline.figures.memory.labels import seeds
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

AXES = {
    "N": "tokens N",
    "d": "stream's width d",
    "n_heads": "heads in parallel",
    "mlp_width": "MLP width (0: none)",
    "n_layers": "layers",
}
WIDTH = 0.78  # of a panel: five stand in a row


def sizes(config: StyleConfig, table: pd.DataFrame, results: dict[str, Any]) -> Figure:
    """Draw the loss along every axis between its baselines, at both budgets.

    ``table`` has a row a point of an axis, ``results`` are M3's.
    """
    point = results["notebook_point"]
    figure, axes = style.panels(
        config, 1, len(AXES),
        f"M3: the divergence against each size alone ({seeds(table.n)}; medians and intervals).\n"
        f"The notebook's own point: {point['divergence']:.2f} nats, low-rank optimum "
        f"{point['low_rank']:.2f}, uniform prediction {point['uniform']:.2f}", width=WIDTH,
    )  # fmt: skip
    for axis, (name, label) in zip(axes[0], AXES.items(), strict=True):
        _panel(axis, table[table.axis == name], label)
        law = results.get(f"along_{name}", {})
        if "exponent" in law:
            ends = f"[{law['exponent_low']:.2f}, {law['exponent_high']:.2f}]"
            axis.set_title(f"exponent {law['exponent']:.2f}\n{ends}", loc="left")
    axes[0][0].set_ylabel("divergence (nats)")
    style.legend_below(figure, axes[0][0])
    return figure


def _panel(axis: Axes, rows: pd.DataFrame, label: str) -> None:
    # A width of 0 has no place on a logarithmic axis: it stands half a step before the next.
    least = rows["size"][rows["size"] > 0].min()
    x = rows["size"].where(rows["size"] > 0, least / 2).to_numpy(dtype=float)
    band = rows[["divergence", "divergence_low", "divergence_high"]].to_numpy().T
    style.banded(axis, x, band, COLOURS[0], label="attention memory")
    axis.plot(x, rows.early, "--", color=COLOURS[0], lw=0.9, label="after fewer steps")
    axis.plot(x, rows.uniform, ":", color="grey", label="uniform prediction")
    axis.plot(x, rows.low_rank, "o-", ms=3, color=TRUTH, lw=0.9, label="low-rank optimum")
    axis.set(xscale="log", yscale="log", xlabel=label)
    axis.set_xticks(x, [str(size) for size in rows["size"]])
    axis.xaxis.set_minor_locator(NullLocator())
