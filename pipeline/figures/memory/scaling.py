"""P1-P7: what attention memorises against its sizes, over the published points and the bounds."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.memory.labels import ENGINES, EVALUATED, listed, named, seeds
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

Fits = dict[str, dict[str, float]]
AGAIN = "P1_published"  # P1 by the published protocol, run again
COLUMNS = 4
OFF = "P7 was not run: memory.train_large.run is false"


def draw_points(
    axes: Axes, rows: pd.DataFrame, x: str, colour: str, label: str, line: str = "-"
) -> None:
    """Draw medians over seeds with their interval against one size."""
    ordered = rows.sort_values(x)
    band = ordered[["accuracy", "accuracy_low", "accuracy_high"]].to_numpy().T
    style.banded(axes, ordered[x].to_numpy(float), band, colour, label=label, line=line)


def draw_references(axes: Axes, rows: pd.DataFrame, x: str) -> None:
    """Draw the published points and both lower bounds."""
    ordered = rows.sort_values(x)
    axes.plot(ordered[x], ordered.bound, ":", color="grey", label="lower bound")
    axes.plot(ordered[x], ordered.earlier_bound, "--", color="lightgrey", label="earlier bound")
    known = ordered[ordered.published.notna()]
    axes.plot(
        known[x], known.published, "o", mfc="none", color=TRUTH, ms=4,
        label=f"published ({EVALUATED['train']})" if len(known) else None,
    )  # fmt: skip


def draw_evaluations(axes: Axes, rows: pd.DataFrame, x: str) -> None:
    """Draw an experiment's points over each distribution of evaluation, with its references."""
    for k, (evaluated, points) in enumerate(rows.groupby("eval_distribution", sort=False)):
        label = f"over {named(str(evaluated), EVALUATED)}"
        draw_points(axes, points, x, COLOURS[k], label, style.LINES[k])
    draw_references(axes, not_sampled(rows), x)


def not_sampled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are no evaluation on samples."""
    return rows[rows.eval_distribution != "train"]


def _over(rows: pd.DataFrame) -> str:
    """Say what medians are over, and of how many seeds."""
    where = ", ".join(named(name, EVALUATED) for name in rows.eval_distribution.unique())
    return f"over {where}; {seeds(rows.n)}"


def heads(config: StyleConfig, points: pd.DataFrame, fits: Fits) -> Figure:
    """P1: accuracy against the number of heads, a panel for each dimension."""
    rows = points[points.experiment == "P1"]
    protocol = points[(points.experiment == AGAIN) & (points.eval_distribution == "train")]
    dims = sorted(rows.d.unique())
    explained = [fit["r2"] for name, fit in fits.items() if name.startswith("P1.linear_d")]
    claim = (
        "a line before saturation explains "
        f"{min(explained):.0%} to {max(explained):.0%} of its variance"
        if explained
        else "too few points rise for a line"
    )
    engine = ", ".join(named(name, ENGINES) for name in rows.engine.unique())
    figure, axes = style.panels(
        config, -(-len(dims) // COLUMNS), COLUMNS,
        f"P1: accuracy against the number of heads H, trained on {engine} "
        f"({seeds(rows.n)}): {claim}",
    )  # fmt: skip
    flat = [axis for row in axes for axis in row]
    for axis, d in zip(flat, dims, strict=False):
        draw_evaluations(axis, rows[rows.d == d], "n_heads")
        again = protocol[protocol.d == d]
        axis.plot(
            again.n_heads, again.accuracy, "x", color=COLOURS[1], ms=6,
            label="published protocol, run again",
        )  # fmt: skip
        fit = fits.get(f"P1.linear_d{d}")
        slope = f", slope {fit['slope']:.4f}" if fit else ""
        axis.set_title(f"d = d_h = {d}{slope}", loc="left")
        axis.set(xlabel="heads H", ylabel="accuracy", ylim=(0, 1.03))
    for axis in flat[len(dims) :]:
        axis.remove()
    style.legend_below(figure, *flat[: len(dims)])
    return figure


def widths(config: StyleConfig, points: pd.DataFrame, fits: Fits) -> Figure:
    """P2 and P3: accuracy against the heads' dimension and against the embedding's."""
    by_head, by_width = points[points.experiment == "P2"], points[points.experiment == "P3"]
    both = pd.concat([by_head, by_width])
    figure, axes = style.panels(
        config, 1, 2,
        f"P2, P3: accuracy against the widths d_h and d (H = {listed(both.n_heads)}; "
        f"{seeds(both.n)})", width=1.5,
    )  # fmt: skip
    left, right = axes[0]
    draw_evaluations(left, by_head, "d_head")
    draw_evaluations(right, by_width, "d")
    left.set(xlabel=f"head dimension d_h (d = {listed(by_head.d)})", ylabel="accuracy")
    right.set(xlabel=f"embedding dimension d (d_h = {listed(by_width.d_head)})", ylabel="accuracy")
    _draw_quadratic(left, by_head.d_head, fits.get("P2.quadratic_mapped"))
    _draw_joined_lines(right, by_width.d, fits.get("P3.piecewise_mapped"))
    style.legend_below(figure, left, right)
    return figure


FIT: dict[str, Any] = {"color": COLOURS[2], "lw": 1.1, "label": "fit for d_h ≠ d"}


def _draw_quadratic(axes: Axes, d_head: "pd.Series[int]", fit: dict[str, float] | None) -> None:
    if fit is None:
        return
    x = np.linspace(d_head.min(), d_head.max(), 50)
    axes.plot(x, fit["constant"] + fit["linear"] * x + fit["quadratic"] * x**2, **FIT)
    axes.set_title(
        f"parabola: R$^2$ = {fit['r2']:.3f} (line: {fit['r2_of_a_line']:.3f})", loc="left"
    )


def _draw_joined_lines(axes: Axes, d: "pd.Series[int]", fit: dict[str, float] | None) -> None:
    if fit is None:
        return
    middle, low, high = (fit[f"breakpoint{end}"] for end in ("", "_low", "_high"))
    before, after = fit["slope_before"], fit["slope_after"]
    x = np.array([d.min(), middle, d.max()])
    slope = np.where(x < middle, before, after)
    axes.plot(x, fit["value_at_breakpoint"] + slope * (x - middle), **FIT)
    axes.axvspan(low, high, color=COLOURS[2], alpha=0.15, lw=0)
    axes.set_title(
        f"breakpoint at d = {middle:.1f} [{low:.1f}, {high:.1f}], slopes {before:.3f}, {after:.3f}",
        loc="left",
    )


def slopes(config: StyleConfig, fits: Fits) -> Figure:
    """P4: the slopes of P1 against the dimension, between guides of d^2 and d^3."""
    by_width = sorted(
        (int(name.removeprefix("P1.linear_d")), fit)
        for name, fit in fits.items()
        if name.startswith("P1.linear_d")
    )
    d = np.array([dimension for dimension, _ in by_width], dtype=float)
    slope = np.array([fit["slope"] for _, fit in by_width])
    ends = np.array([[fit["slope_low"], fit["slope_high"]] for _, fit in by_width]).T
    growth = fits.get("P4.slope_growth")
    claim = (
        f"exponent {growth['exponent']:.2f} "
        f"[{growth['exponent_low']:.2f}, {growth['exponent_high']:.2f}] "
        f"over {growth['n']:.0f} dimensions"
        if growth
        else "too few of them rise for an exponent"
    )
    figure, axes = style.panels(config, 1, 1, f"P4: growth of P1's slopes, {claim}", width=1.8)
    axis = axes[0][0]
    axis.errorbar(
        d, slope, np.abs(ends - slope), fmt="o", color=COLOURS[0], ms=4,
        label="slope of accuracy in H",
    )  # fmt: skip
    for power, line in ((2, "--"), (3, ":")):
        if len(d):
            axis.plot(d, slope[-1] * (d / d[-1]) ** power, line, color="grey", label=f"d^{power}")
    axis.set(xlabel="d = d_h", ylabel="slope of accuracy in H", xscale="log", yscale="log")
    axis.set_xticks(d, [f"{value:g}" for value in d])
    axis.minorticks_off()
    style.legend_below(figure, axis)
    return figure


def mlp(config: StyleConfig, points: pd.DataFrame, results: dict[str, Any]) -> Figure:
    """P5: attention and MLP memory at equal parameter count; ``results`` are P5's of all points."""
    rows = not_sampled(points[points.experiment == "P5"])
    dims = sorted(rows.d.unique())
    claim = (
        f"accuracy of the MLP less that of attention {results['mlp_advantage']:.3f} "
        f"[{results['mlp_advantage_low']:.3f}, {results['mlp_advantage_high']:.3f}]"
        if results
        else "no points in common"
    )
    figure, axes = style.panels(
        config, 1, max(len(dims), 1),
        f"P5: attention and MLP memory at equal parameter count ({_over(rows)}).\n"
        f"Mean over common points: {claim}",
    )  # fmt: skip
    for axis, d in zip(axes[0], dims, strict=False):
        of_width = rows[rows.d == d].drop_duplicates(["n_heads", "mlp_width"])
        attention = of_width[of_width.mlp_width == 0]
        draw_points(axis, attention, "parameters", COLOURS[0], "attention: H heads")
        with_mlp = pd.concat([attention[attention.n_heads == 1], of_width[of_width.mlp_width > 0]])
        draw_points(axis, with_mlp, "parameters", COLOURS[1], "one head and an MLP", "--")
        axis.set_title(f"d = {d}", loc="left")
        axis.set(xlabel="parameters", ylabel="accuracy", ylim=(0, 1.03))
    style.legend_below(figure, *axes[0][: len(dims)])
    return figure


def small(config: StyleConfig, points: pd.DataFrame) -> Figure:
    """P6: the smallest memories against the lower bounds."""
    rows = points[points.experiment == "P6"]
    exact = not_sampled(rows)
    above = int((exact.accuracy_low > exact.bound).sum())
    figure, axes = style.panels(
        config, 1, 1,
        f"P6: d = {listed(rows.d)}, d_h = {listed(rows.d_head)}, N = {listed(rows.N)} "
        f"({seeds(rows.n)}):\nthe interval is above the lower bound at {above} of {len(exact)} "
        "points", width=2.5,
    )  # fmt: skip
    axis = axes[0][0]
    draw_evaluations(axis, rows, "n_heads")
    axis.set(xlabel="heads H", ylabel="accuracy", ylim=(0, 1.03))
    style.legend_below(figure, axis)
    return figure


def large(config: StyleConfig, points: pd.DataFrame) -> Figure:
    """P7: many tokens and several layers; in words alone if it was not run."""
    rows = not_sampled(points[points.experiment == "P7"])
    if rows.empty:
        figure = style.canvas(config, 1.8, 1.0, "P7: large memories")
        figure.text(0.5, 0.4, OFF, ha="center")
        return figure
    figure, axes = style.panels(config, 1, 1, f"P7: large memories ({_over(rows)})", width=1.8)
    axis = axes[0][0]
    for k, ((N, layers, d), sizes) in enumerate(rows.groupby(["N", "n_layers", "d"])):
        label = f"N = {N}, d = {d}, {layers} layer{'s' * (int(layers) > 1)}"
        line = style.LINES[int(layers) > 1]
        draw_points(axis, sizes, "n_heads", COLOURS[k % len(COLOURS)], label, line)
    axis.set(xlabel="heads H", ylabel="accuracy", ylim=(0, 1.03))
    style.legend_below(figure, axis)
    return figure
