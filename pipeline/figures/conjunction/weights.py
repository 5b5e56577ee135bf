"""C6: where the rule's query looks."""

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.conjunction.report.influence import AttentionWeights

LABELS = {1: ("label 1", COLOURS[0]), 0: ("label 0", COLOURS[4])}
ROLES = {
    "active": "the active rule's targets",
    "inactive": "the other rule's targets",
    "rule": "the rule",
    "others": "positions that do not matter",
}


def weights(config: StyleConfig, file: AttentionWeights) -> Figure:
    """Draw the weights of the rule's query over a batch, and their mean and spread, by rule."""
    figure, axes = style.panels(config, 2, 2, title_of(file), width=1.7)
    positions = np.arange(file.weights.shape[1])
    for rule, (left, right) in enumerate(axes):
        draw_sequences(left, file, rule)
        mean, deviation = file.statistics[rule]
        right.errorbar(positions, mean, yerr=deviation, fmt="o", color=COLOURS[0], capsize=2)
        count = int((file.rules == rule).sum())
        left.set_title(f"rule = {rule}: {count} sequences", loc="left")
        right.set_title(f"rule = {rule}: mean and standard deviation", loc="left")
        for axis in (left, right):
            mark_targets(axis, file.targets, rule)
            axis.set(xlabel="position", ylabel="attention weight", ylim=(-0.02, None))
            axis.set_xticks(positions, [*map(str, positions[:-1]), "rule"])
    style.legend_below(figure, axes[0][0])
    for handle in figure.legends[0].get_lines():
        handle.set(markersize=6, alpha=1)
    return figure


def title_of(file: AttentionWeights) -> str:
    """Say how much weight lies on each role of position, and which seed is drawn."""
    shares = [
        f"{middle:.2g} [{low:.2g}, {high:.2g}] on {ROLES[role]}"
        for role, (middle, low, high) in zip(file.roles, file.shares, strict=True)
    ]
    return (
        f"C6  Of its weight the rule's query puts {', '.join(shares[:2])},\n"
        f"{', '.join(shares[2:])} (medians over {int(file.seeds)} seeds, with intervals)\n"
        f"drawn: seed {int(file.seed)}, which has the median weight on the active targets; shaded: "
        "the active rule's targets; hatched: the other rule's"
    )


def draw_sequences(axis: Axes, file: AttentionWeights, rule: int) -> None:
    """Draw the weights of every sequence under a rule, by label."""
    positions = np.arange(file.weights.shape[1])
    # Offsets by sample keep equal weights apart.
    offsets = np.linspace(-0.3, 0.3, len(file.weights))
    for value, (name, colour) in LABELS.items():
        chosen = (file.rules == rule) & (file.labels == value)
        x = positions[None] + offsets[chosen, None]
        axis.plot(
            x.ravel(), file.weights[chosen].ravel(), ".", color=colour, markersize=2, alpha=0.5,
            label=name,
        )  # fmt: skip


def mark_targets(axis: Axes, targets: Int[np.ndarray, "rule target"], rule: int) -> None:
    """Shade the active targets, hatch the others."""
    for position in targets[rule]:
        axis.axvspan(position - 0.45, position + 0.45, color=COLOURS[2], alpha=0.25, linewidth=0)
    for position in targets[1 - rule]:
        axis.axvspan(
            position - 0.45, position + 0.45, fill=False, hatch="//", edgecolor=TRUTH, alpha=0.25
        )
