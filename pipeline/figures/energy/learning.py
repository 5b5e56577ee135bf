"""E7: learning curves with and without the energy in the loss."""

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, StyleConfig

PANELS = {
    "validation_accuracy": "accuracy on fresh sequences",
    "alignment": "cosine with energy descent",
}


def learning(config: StyleConfig, history: pd.DataFrame) -> Figure:
    """Draw accuracy and alignment against steps, a line for each seed."""
    title = "E7 Associative recall: what the energy in the loss does (a line for each seed)"
    figure, [axes] = style.panels(config, 1, len(PANELS), title, width=1.4)
    for k, (name, runs) in enumerate(history.groupby("model", sort=False)):
        for number, (_, own) in enumerate(runs.groupby("seed")):
            for panel, column in zip(axes, PANELS, strict=True):
                panel.plot(own["step"], own[column], color=COLOURS[k], linewidth=0.9,
                           label=str(name).replace("_", " ") if number == 0 else None)  # fmt: skip
    for panel, label in zip(axes, PANELS.values(), strict=True):
        panel.set(xlabel="step", ylabel=label, ylim=(None, 1.03))
    axes[0].legend(title="loss")
    return figure
