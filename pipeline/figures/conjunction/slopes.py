"""C5: local slopes of the samples needed, in place of one exponent."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.conjunction.names import LEARNERS, words
from pipeline.figures.conjunction.scaling import search_words
from pipeline.figures.style import COLOURS, StyleConfig
from pipeline.labs.conjunction.train.curves import SearchConfig

APART = 1.04  # factor on T between neighbouring learners


def slopes(config: StyleConfig, table: pd.DataFrame, search: SearchConfig) -> Figure:
    """Draw each learner's slope between neighbouring T; ``table`` is of SlopeRow."""
    title = (
        f"C5  How fast the samples needed for {search_words(search)} grow\n"
        "local slope d log $m$ / d log $T$ between neighbouring $T$; a power law's is constant, "
        "a logarithm's falls"
    )
    figure, axes = style.panels(config, 1, 1, title, width=2.6)
    axis = axes[0][0]
    learners = list(table.learner.unique())
    for k, learner in enumerate(learners):
        steps = table[table.learner == learner]
        middle = np.sqrt(steps.near * steps.far) * APART ** (k - len(learners) / 2)
        around = np.abs([steps.slope - steps.low, steps.high - steps.slope])
        axis.errorbar(
            middle, steps.slope, yerr=around, color=COLOURS[k % len(COLOURS)], marker="o",
            markersize=4, capsize=2, label=words(LEARNERS, learner),
        )  # fmt: skip
    axis.set(xscale="log", xlabel="positions $T$", ylabel="local slope")
    ticks = sorted({*table.near, *table.far})
    axis.set_xticks(ticks, [str(t) for t in ticks])
    axis.minorticks_off()
    style.legend_below(figure, axis)
    return figure
