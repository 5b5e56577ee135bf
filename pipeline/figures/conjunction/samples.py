"""C3: samples of the task and their labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Some sequences, their labels, the targets of each rule, and how often the label is 1."""

    bits: Float[np.ndarray, "sample position"]
    labels: Float[np.ndarray, " sample"]
    targets: Any
    positive: float
    expected: float


def samples(config: StyleConfig, shown: Mapping[str, Samples]) -> Figure:
    """Draw the bits of each task with frames on the targets, and the labels beside them."""
    title = (
        "C3  AND of hidden positions: samples, one a row (black: 1), and their labels\n"
        "frames: the targets; in the query form the last bit, the rule, picks the frame's colour"
    )
    columns = len(shown)
    figure, axes = style.panels(config, 1, columns, title, width=1.25)
    for axis, (name, found) in zip(axes[0], shown.items(), strict=True):
        count, positions = found.bits.shape
        # One empty column sets the labels apart.
        image = np.full((count, positions + 2), np.nan)
        image[:, :positions] = found.bits
        image[:, -1] = found.labels
        axis.imshow(image, cmap="binary", vmin=0, vmax=1.15, aspect="auto")
        for rule, own in enumerate(found.targets):
            for position in own:
                # A little inside its column, so that neighbours do not hide each other.
                corner, colour = (position - 0.42, -0.5), COLOURS[rule]
                axis.add_patch(Rectangle(corner, 0.84, count, fill=False, color=colour, lw=2))
        axis.add_patch(
            Rectangle((positions + 0.5, -0.5), 1, count, fill=False, color=TRUTH, linewidth=1)
        )
        axis.set(xlabel="position", ylabel="sample", yticks=[])
        last = "rule" if len(found.targets) == 2 else str(positions - 1)
        axis.set_xticks([0, positions - 1, positions + 1], ["0", last, "label"], fontsize="small")
        axis.grid(visible=False)
        share = f"label 1: {found.positive:.3f} (expected $p^s$ = {found.expected:.3f})"
        axis.set_title(f"{name.replace('_', ' ')}\n{share}", loc="left")
    return figure
