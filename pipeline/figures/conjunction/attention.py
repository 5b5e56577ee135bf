"""C6 and C7: attention weights, and the graph of what the label depends on."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

LABELS = {1: ("label 1", COLOURS[0]), 0: ("label 0", COLOURS[4])}
METHODS = {
    "rule_query": "attention of the rule's query",
    "attention_query": "readout × attention, by query\n(the tutorial's contraction)",
    "attention_key": "readout × attention, by key",
    "attention_value": "readout × attention × value\n(sums to the logit)",
    "bit_flip": "change of the logit\nby a bit flip",
}


def weights(
    config: StyleConfig,
    found: Float[np.ndarray, "sample position"],
    labels: Float[np.ndarray, " sample"],
    rules: Float[np.ndarray, " sample"],
    statistics: Float[np.ndarray, "rule 2 position"],
    targets: Any,
) -> Figure:
    """Draw the weights of the rule's query over a batch, and their mean and spread, by rule."""
    title = (
        "C6  Attention weights of the rule's query over a batch, one seed\n"
        "shaded: the active rule's targets; hatched: the other rule's"
    )
    figure, axes = style.panels(config, 2, 2, title, width=1.7)
    positions = np.arange(found.shape[1])
    # Offsets by sample keep equal weights apart.
    offsets = np.linspace(-0.3, 0.3, len(found))
    for rule, (left, right) in enumerate(axes):
        for value, (name, colour) in LABELS.items():
            chosen = (rules == rule) & (labels == value)
            x = positions[None] + offsets[chosen, None]
            left.plot(
                x.ravel(), found[chosen].ravel(), ".", color=colour, markersize=2, alpha=0.5,
                label=name,
            )  # fmt: skip
        mean, deviation = statistics[rule]
        right.errorbar(positions, mean, yerr=deviation, fmt="o", color=COLOURS[0], capsize=2)
        left.set_title(f"rule = {rule}: every sequence", loc="left")
        right.set_title(f"rule = {rule}: mean and standard deviation", loc="left")
        for axis in (left, right):
            mark_targets(axis, targets, rule)
            axis.set(xlabel="position", ylabel="attention weight", ylim=(-0.02, None))
            axis.set_xticks(positions, [*map(str, positions[:-1]), "rule"])
    style.legend_below(figure, axes[0][0])
    for handle in figure.legends[0].get_lines():
        handle.set(markersize=6, alpha=1)
    return figure


def mark_targets(axis: Axes, targets: Any, rule: int) -> None:
    """Shade the active targets, hatch the others."""
    for position in targets[rule]:
        axis.axvspan(position - 0.45, position + 0.45, color=COLOURS[2], alpha=0.25, linewidth=0)
    for position in targets[1 - rule]:
        axis.axvspan(
            position - 0.45, position + 0.45, fill=False, hatch="//", edgecolor=TRUTH, alpha=0.25
        )


def graph(
    config: StyleConfig,
    methods: list[str],
    influence: Float[np.ndarray, "method rule position"],
    targets: Any,
    hits: Mapping[str, float],
) -> Figure:
    """Draw, for each method and rule, lines from the tokens to the output.

    A line's width and colour are the influence relative to the panel's largest. ``hits`` are the
    fractions of seeds and rules in which the top positions are the active targets.
    """
    title = (
        "C7  Attention as a changing computation graph, one seed, positive samples\n"
        "green: the active rule's targets; line: influence (orange adds, blue takes away), "
        "width: size; hits over all seeds"
    )
    figure, axes = style.panels(config, 2, len(methods), title, width=1.05)
    for column, method in enumerate(methods):
        for rule in (0, 1):
            draw_graph(axes[rule][column], influence[column, rule], targets, rule)
        axes[0][column].set_title(f"{METHODS[method]}\nhits: {hits[method]:.2f}", loc="left")
    for rule in (0, 1):
        axes[rule][0].text(-0.02, 0.9, f"rule = {rule}", transform=axes[rule][0].transAxes)
    return figure


def draw_graph(axis: Axes, influence: Any, targets: Any, rule: int) -> None:
    """Draw one graph: tokens below, output above."""
    count = len(influence)
    middle = (count - 1) / 2
    size = np.abs(influence) / np.abs(influence).max()
    for position in range(count):
        colour = COLOURS[1] if influence[position] > 0 else COLOURS[0]
        axis.plot(
            [position, middle], [0, 1], color=colour, linewidth=0.3 + 5 * size[position],
            alpha=0.15 + 0.85 * size[position], solid_capstyle="butt",
        )  # fmt: skip
        active, other = position in targets[rule], position in targets[1 - rule]
        face = COLOURS[2] if active else "white"
        edge = COLOURS[2] if active else TRUTH if other else "0.6"
        axis.plot(position, 0, "o", color=face, markeredgecolor=edge, markersize=8, zorder=3)
        name = "r" if position == count - 1 else str(position)
        axis.text(position, -0.14, name, ha="center", va="top", fontsize=6)
    axis.plot(middle, 1, "o", color=TRUTH, markersize=9, zorder=3)
    axis.set(xlim=(-0.8, count - 0.2), ylim=(-0.35, 1.12))
    axis.axis("off")
