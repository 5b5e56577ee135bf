"""C4: accuracy and loss of every seed, the MLP beside attention on the same data."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.conjunction.names import MODELS, tasks_words, words
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.conjunction.data.task import TaskConfig

QUANTITIES = (("accuracy", "validation accuracy", "linear"), ("loss", "validation loss", "log"))


def accuracy(
    config: StyleConfig, scores: pd.DataFrame, table: pd.DataFrame, tasks: Mapping[str, TaskConfig]
) -> Figure:
    """Draw a row for each quantity and a column for each task; a line joins a seed's models.

    ``scores`` is a table of ScoreRow, ``table`` of AccuracyRow.
    """
    samples = ", ".join(f"{count:,}" for count in sorted(set(table.samples)))
    star = "; star: the tutorial's single run" if table.tutorial_accuracy.notna().any() else ""
    title = (
        f"C4  MLP against self-attention after {samples} training samples: "
        "a line joins two models on the same data\n"
        f"bar: median with its interval{star}; p: paired test of the accuracies"
    )
    figure, axes = style.panels(config, len(QUANTITIES), len(tasks), title, width=1.25)
    for row, (quantity, label, scale) in zip(axes, QUANTITIES, strict=True):
        for axis, task in zip(row, tasks, strict=True):
            of_task = scores[scores.task == task]
            pairs = of_task.pivot(index="seed", columns="model", values=quantity)
            draw_pairs(axis, pairs, table[table.task == task].set_index("model"), quantity)
            axis.set(ylabel=label, yscale=scale)
    labels = tasks_words(tasks)
    for axis, task in zip(axes[0], tasks, strict=True):
        p = table[table.task == task].p_accuracy.iloc[0]
        seeds = scores[scores.task == task].seed.nunique()
        axis.set_title(f"{labels[task]}\n{seeds} seeds, Wilcoxon p = {p:.2g}", loc="left")
    return figure


def draw_pairs(axis: Axes, pairs: pd.DataFrame, table: pd.DataFrame, quantity: str) -> None:
    """Draw one panel: the pairs, medians with intervals, and what the tutorial printed."""
    models = list(table.index)
    places = np.arange(len(models))
    for values in pairs[models].to_numpy():
        axis.plot(places, values, color=TRUTH, alpha=0.25, linewidth=0.7, marker=".", markersize=4)
    for k, model in enumerate(models):
        row = table.loc[model]
        middle = row[quantity]
        around = [[middle - row[f"{quantity}_low"]], [row[f"{quantity}_high"] - middle]]
        offset = -0.18 + 0.36 * k
        axis.errorbar(
            k + offset, middle, yerr=around, color=COLOURS[k], marker="_", markersize=14,
            capsize=3, linewidth=2,
        )  # fmt: skip
        printed = row[f"tutorial_{quantity}"]
        if np.isfinite(printed):
            axis.plot(k + 1.7 * offset, printed, "*", color=COLOURS[4], markersize=9)
    labels = [f"{words(MODELS, m)}\n{table.loc[m].parameters:,.0f} parameters" for m in models]
    axis.set_xticks(places, labels)
    axis.set_xlim(-0.6, len(models) - 0.4)
