"""P5-P7: memories at the end of their training, beside what a quarter of the steps holds."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.memory.labels import EVALUATED, listed, named, seeds
from pipeline.figures.memory.scaling import draw_evaluations, draw_points, not_sampled
from pipeline.figures.style import COLOURS, StyleConfig

OFF = "P7 was not run: memory.train_large.run is false"
QUARTER = "_quarter"  # of an experiment's name: the same with a quarter of the steps
EARLY = "after a quarter of the steps"

Results = dict[str, Any]


def _over(rows: pd.DataFrame) -> str:
    """Say what medians are over, and of how many seeds."""
    where = ", ".join(named(name, EVALUATED) for name in rows.eval_distribution.unique())
    return f"over {where}; {seeds(rows.n)}"


def _ended(results: Results) -> str:
    """Say how many models are at the end of training."""
    ending = results.get("ending")
    if not ending:
        return "trained once"
    return (
        f"at the end of training (within {ending['tolerance']:g} of a quarter of the steps): "
        f"{ending['at_the_end']} of {ending['models']} models"
    )


def _draw_early(axes: Axes, rows: pd.DataFrame, x: str, colour: str) -> None:
    """Draw the medians after a quarter of the steps as a thin dotted line."""
    ordered = rows.sort_values(x)
    if len(ordered):
        axes.plot(ordered[x], ordered.accuracy, ":", color=colour, lw=0.9, label=EARLY)


def mlp(config: StyleConfig, points: pd.DataFrame, results: Results) -> Figure:
    """P5: attention and MLP memory at equal parameter count; ``results`` are P5's."""
    rows, early = (
        not_sampled(points[points.experiment == name]) for name in ("P5", "P5" + QUARTER)
    )
    dims = sorted(rows.d.unique())
    gap = results.get("all")
    claim = (
        f"accuracy of the MLP less that of attention {gap['mlp_advantage']:.3f} "
        f"[{gap['mlp_advantage_low']:.3f}, {gap['mlp_advantage_high']:.3f}]"
        if gap
        else "no points in common"
    )
    figure, axes = style.panels(
        config, 1, max(len(dims), 1),
        f"P5: attention and MLP memory at equal parameter count ({_over(rows)}).\n"
        f"Mean over common points: {claim};\n{_ended(results)}",
    )  # fmt: skip
    for axis, d in zip(axes[0], dims, strict=False):
        attention, with_mlp = _both_memories(rows[rows.d == d])
        draw_points(axis, attention, "parameters", COLOURS[0], "attention: H heads")
        draw_points(axis, with_mlp, "parameters", COLOURS[1], "one head and an MLP", "--")
        for part, colour in zip(_both_memories(early[early.d == d]), COLOURS, strict=False):
            _draw_early(axis, part, "parameters", colour)
        axis.set_title(f"d = {d}", loc="left")
        axis.set(xlabel="parameters", ylabel="accuracy", ylim=(0, 1.03))
    style.legend_below(figure, *axes[0][: len(dims)])
    return figure


def _both_memories(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the points of attention, and of the MLP: one head is the first of both."""
    alone = rows.drop_duplicates(["n_heads", "mlp_width"])
    attention = alone[alone.mlp_width == 0]
    first = attention[attention.n_heads == 1]
    return attention, pd.concat([first, alone[alone.mlp_width > 0]])


def small(config: StyleConfig, points: pd.DataFrame, results: Results) -> Figure:
    """P6: the smallest memories against the lower bounds; ``results`` are P6's."""
    rows = points[points.experiment == "P6"]
    exact = not_sampled(rows)
    above = int((exact.accuracy_low > exact.bound).sum())
    figure, axes = style.panels(
        config, 1, 1,
        f"P6: d = {listed(rows.d)}, d_h = {listed(rows.d_head)}, N = {listed(rows.N)} "
        f"({seeds(rows.n)}):\nthe interval is above the lower bound at {above} of {len(exact)} "
        f"points;\n{_ended(results)}", width=2.5,
    )  # fmt: skip
    axis = axes[0][0]
    draw_evaluations(axis, rows, "n_heads")
    early = not_sampled(points[points.experiment == "P6" + QUARTER])
    _draw_early(axis, early, "n_heads", COLOURS[0])
    axis.set(xlabel="heads H", ylabel="accuracy", ylim=(0, 1.03))
    style.legend_below(figure, axis)
    return figure


def large(config: StyleConfig, points: pd.DataFrame, results: Results) -> Figure:
    """P7: many tokens, and several layers beside one; in words alone if it was not run.

    The axis is the number of heads in all layers, which the parameters go with.
    """
    rows = not_sampled(points[points.experiment == "P7"])
    if rows.empty:
        figure = style.canvas(config, 1.8, 1.0, "P7: large memories")
        figure.text(0.5, 0.4, OFF, ha="center")
        return figure
    early = not_sampled(points[points.experiment == "P7" + QUARTER])
    figure, axes = style.panels(
        config, 1, 1, f"P7: large memories ({_over(rows)});\n{_ended(results)}", width=2.2
    )
    axis = axes[0][0]
    families = _by_family(early)
    for k, (name, sizes) in enumerate(_by_family(rows).items()):
        line = style.LINES[int(sizes.n_layers.iloc[0]) > 1]
        colour = COLOURS[k % len(COLOURS)]
        draw_points(axis, sizes, "all_heads", colour, name, line)
        if name in families:
            _draw_early(axis, families[name], "all_heads", colour)
    axis.set(xlabel="heads in all layers", ylabel="accuracy", ylim=(0, 1.03))
    style.legend_below(figure, axis)
    return figure


def _by_family(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the points by their tokens, layers and width, in words."""
    counted = rows.assign(all_heads=rows.n_heads * rows.n_layers)
    return {
        f"N = {N}, d = {d}, {layers} layer{'s' * (int(layers) > 1)}": sizes
        for (N, layers, d), sizes in counted.groupby(["N", "n_layers", "d"])
    }
