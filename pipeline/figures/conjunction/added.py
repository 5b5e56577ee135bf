"""C4: what can be added to the MLP, and the samples that it needs for 100 %."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.conjunction.axes import SIZES
from pipeline.figures.conjunction.names import LEARNERS, task_words, words
from pipeline.figures.conjunction.scaling import search_words
from pipeline.figures.style import COLOURS, StyleConfig
from pipeline.labs.conjunction.report.scaling import ABLATED, ADDED, COMPETITIVE, HEAD, PERFECT
from pipeline.labs.conjunction.train.curves import SearchConfig


def added(
    config: StyleConfig,
    complexity: pd.DataFrame,
    search: SearchConfig,
    perfect: Mapping[str, SearchConfig],
) -> Figure:
    """Draw the samples that each learner needs where additions were tried, and those for 100 %.

    ``complexity`` is a table of SampleComplexityRow.
    """
    learners = complexity.learner.astype(str)
    is_added, is_perfect = (
        learners.str.startswith(prefix).astype(bool) for prefix in (ADDED, PERFECT)
    )
    largest = complexity[is_added].positions.max()
    shown = complexity[
        (complexity.positions == largest)
        & ~is_perfect
        & ~learners.str.startswith(ABLATED).astype(bool)
    ].sort_values("samples", ascending=False, kind="stable")
    title = (
        f"C4  What could be added to the MLP? Samples needed for {search_words(search)}; "
        "and exercise 3, part 4\nintervals: bootstrap over seeds"
    )
    figure, axes = style.panels(config, 1, 2, title, width=1.7)
    left, right = axes[0]
    draw_rows(left, shown, [words(LEARNERS, name) for name in shown.learner])
    head = shown[shown.learner == HEAD]
    for samples in head.samples:
        left.axvline(COMPETITIVE * samples, color=COLOURS[4], linestyle=":")
    left.set_title(
        f"$T$ = {largest:g}; dotted: {COMPETITIVE:g} times the one query's" if len(head) else "",
        loc="left",
    )
    rows = complexity[is_perfect]
    tasks = {f"{PERFECT}{name}": each for name, each in perfect.items()}
    labels = [
        task_words(tasks[str(row.learner)].task(int(row.positions))) for row in rows.itertuples()
    ]
    draw_rows(right, rows, labels)
    thresholds = sorted({100 * each.threshold for each in perfect.values()})
    asked = " or ".join(f"{each:g}" for each in thresholds)
    right.set_title(f"the MLP: {asked} % median accuracy", loc="left")
    return figure


def draw_rows(axis: Axes, rows: pd.DataFrame, labels: list[str]) -> None:
    """Draw a row of the axis for each row of a table, with its interval."""
    axis.set(xlabel="samples $m$", ylim=(-0.6, max(len(rows), 1) - 0.4))
    axis.set_yticks(range(len(rows))[::-1], labels)
    if rows.empty:
        return  # a logarithmic axis without data has no place for ticks
    axis.set(xscale="log", xlim=(0.8 * rows.low.min(), 1.25 * rows.high.max()))
    ticks = [m for m in SIZES if axis.get_xlim()[0] <= m <= axis.get_xlim()[1]]
    axis.set_xticks(ticks, [f"{m:,}" for m in ticks])
    axis.minorticks_off()
    heights = np.arange(len(rows))[::-1]
    around = np.abs([rows.samples - rows.low, rows.high - rows.samples])
    axis.errorbar(
        rows.samples, heights, xerr=around, color=COLOURS[0], linestyle="", marker="o", capsize=3
    )
