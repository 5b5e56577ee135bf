"""C7: the graph of what the label depends on, by several methods."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.conjunction.names import METHODS, task_words, words
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.conjunction.data.task import TaskConfig
from pipeline.labs.conjunction.report.influence import InfluenceGraphs


def influence(config: StyleConfig, graphs: InfluenceGraphs, task: TaskConfig) -> Figure:
    """Draw, for each method and rule, lines from the tokens to the output.

    A line's width and colour are the influence relative to the panel's largest.
    """
    best = max(graphs.hit_counts, key=lambda name: graphs.hit_counts[name])
    others = [count for name, count in graphs.hit_counts.items() if name != best]
    beside = f", the others in {min(others)} to {max(others)}" if others else ""
    title = (
        f"C7  Which positions does the label depend on? The {task.targets} strongest are the "
        f"active rule's targets in {graphs.hit_counts[best]} of {graphs.cases} cases by the "
        f"{' '.join(words(METHODS, best).split())}{beside}\n"
        f"{task_words(task)}; drawn: mean over the positive samples of seed {int(graphs.seed)}, "
        f"which has the median number of hits; hits over {graphs.hits.shape[2]} seeds × "
        f"{graphs.hits.shape[1]} rules\n"
        "green: the active rule's targets; line: influence (orange adds, blue takes away), "
        "width: size"
    )
    figure, axes = style.panels(config, 2, len(graphs.methods), title, width=1.05)
    for column, method in enumerate(graphs.methods):
        for rule in (0, 1):
            draw_graph(axes[rule][column], graphs.influence[column, rule], graphs.targets, rule)
        hits = f"hits: {graphs.hit_counts[method]} of {graphs.cases}"
        axes[0][column].set_title(f"{words(METHODS, method)}\n{hits}", loc="left")
    for rule in (0, 1):
        axes[rule][0].text(-0.02, 0.9, f"rule = {rule}", transform=axes[rule][0].transAxes)
    return figure


def draw_graph(
    axis: Axes,
    influence: Float[np.ndarray, " position"],
    targets: Int[np.ndarray, "rule target"],
    rule: int,
) -> None:
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
