"""E7: learning curves with and without the energy in the loss."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, StyleConfig
from pipeline.labs.energy.train.recall import LossConfig

PANELS = {
    "validation_accuracy": "accuracy on fresh sequences",
    "alignment": "cosine with energy descent",
}


def learning(
    config: StyleConfig, history: pd.DataFrame, losses: Mapping[str, LossConfig]
) -> Figure:
    """Draw accuracy and alignment against steps, a line for each seed."""
    seeds = history["seed"].nunique()
    title = f"E7 Associative recall: what the energy in the loss does (a line for each of {seeds} "
    title += "seeds)"
    figure, [axes] = style.panels(config, 1, len(PANELS), title, width=1.4)
    for k, (name, runs) in enumerate(history.groupby("model", sort=False)):
        for number, (_, run) in enumerate(runs.groupby("seed")):
            label = f"loss: {losses[str(name)].description}" if number == 0 else None
            for panel, column in zip(axes, PANELS, strict=True):
                panel.plot(run["step"], run[column], color=COLOURS[k % len(COLOURS)],
                           linewidth=0.9, label=label)  # fmt: skip
    for panel, label in zip(axes, PANELS.values(), strict=True):
        panel.set(xlabel="step", ylabel=label, ylim=(None, 1.03))
    style.legend_below(figure, axes[0])
    return figure
