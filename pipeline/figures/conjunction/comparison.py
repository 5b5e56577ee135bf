"""C4: accuracy and loss of every seed, the MLP beside attention on the same data."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

NAMES = {"attention": "attention", "mlp": "MLP"}
QUANTITIES = (("accuracy", "validation accuracy", "linear"), ("loss", "validation loss", "log"))


def comparison(config: StyleConfig, scores: pd.DataFrame, table: pd.DataFrame) -> Figure:
    """Draw a row for each quantity and a column for each task; a line joins a seed's models.

    ``scores`` has columns task, model, seed, accuracy, loss; ``table`` a row for each task and
    model with medians, intervals, parameters, p_accuracy and the tutorial's own run.
    """
    tasks = list(dict.fromkeys(scores.task))
    n = scores.seed.nunique()
    title = (
        f"C4  MLP against self-attention, {n} seeds: a line joins two models on the same data\n"
        "bar: median with its interval; star: the tutorial's single run"
    )
    figure, axes = style.panels(config, len(QUANTITIES), len(tasks), title, width=1.2)
    for row, (quantity, label, scale) in zip(axes, QUANTITIES, strict=True):
        for axis, task in zip(row, tasks, strict=True):
            own = scores[scores.task == task].pivot(index="seed", columns="model", values=quantity)
            draw_pairs(axis, own, table[table.task == task].set_index("model"), quantity)
            axis.set(ylabel=label, yscale=scale)
    for axis, task in zip(axes[0], tasks, strict=True):
        p = table[table.task == task].p_accuracy.iloc[0]
        axis.set_title(f"{task.replace('_', ' ')}: paired Wilcoxon p = {p:.2g}", loc="left")
    return figure


def draw_pairs(axis: Axes, pairs: pd.DataFrame, table: pd.DataFrame, quantity: str) -> None:
    """Draw one panel: the pairs, medians with intervals, and what the tutorial printed."""
    models = list(NAMES)
    places = np.arange(len(models))
    for values in pairs[models].to_numpy():
        axis.plot(places, values, color=TRUTH, alpha=0.25, linewidth=0.7, marker=".", markersize=4)
    for k, model in enumerate(models):
        found = table.loc[model]
        middle = found[quantity]
        around = [[middle - found[f"{quantity}_low"]], [found[f"{quantity}_high"] - middle]]
        offset = -0.18 + 0.36 * k
        axis.errorbar(
            k + offset, middle, yerr=around, color=COLOURS[k], marker="_", markersize=14,
            capsize=3, linewidth=2,
        )  # fmt: skip
        printed = found[f"tutorial_{quantity}"]
        if np.isfinite(printed):
            axis.plot(k + 1.7 * offset, printed, "*", color=COLOURS[4], markersize=9)
    labels = [f"{NAMES[m]}\n{table.loc[m].parameters:,.0f} parameters" for m in models]
    axis.set_xticks(places, labels)
    axis.set_xlim(-0.6, len(models) - 0.4)
