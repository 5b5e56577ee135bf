"""C3: samples of the task and their labels."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline.figures import style
from pipeline.figures.conjunction.names import task_words
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.conjunction.report.samples import Samples


def samples(config: StyleConfig, shown: Mapping[str, Samples]) -> Figure:
    """Draw the bits of each task with frames on the targets, and the labels beside them."""
    title = (
        "C3  Samples, one a row (black: 1), and their labels; frames: the targets, whose AND is "
        "the label\nwhere the last bit is a rule, it picks the frame's colour; the seed shown has "
        "the median fraction of label 1"
    )
    figure, axes = style.panels(config, 1, len(shown), title, width=1.35)
    for axis, task in zip(axes[0], shown.values(), strict=True):
        draw_samples(axis, task)
    return figure


def draw_samples(axis: Axes, shown: Samples) -> None:
    """Draw one task."""
    count, positions = shown.bits.shape
    # One empty column sets the labels apart.
    image = np.full((count, positions + 2), np.nan)
    image[:, :positions] = shown.bits
    image[:, -1] = shown.labels
    axis.imshow(image, cmap="binary", vmin=0, vmax=1.15, aspect="auto")
    for rule, targets in enumerate(shown.targets):
        for position in targets:
            # A little inside its column, so that neighbours do not hide each other.
            corner, colour = (position - 0.42, -0.5), COLOURS[rule]
            axis.add_patch(Rectangle(corner, 0.84, count, fill=False, color=colour, lw=2))
    axis.add_patch(
        Rectangle((positions + 0.5, -0.5), 1, count, fill=False, color=TRUTH, linewidth=1)
    )
    axis.set(xlabel="position", ylabel="sample", yticks=[])
    last = "rule" if len(shown.targets) == 2 else str(positions - 1)
    axis.set_xticks([0, positions - 1, positions + 1], ["0", last, "label"], fontsize="small")
    axis.grid(visible=False)
    axis.set_title(
        f"{task_words(shown.task)}; seed {shown.seed}\n"
        f"label 1: {shown.positive:.3f} of {shown.seeds} × {shown.valid:,} samples "
        f"(expected $p^s$ = {shown.task.positive_fraction:.3f})",
        loc="left",
    )
