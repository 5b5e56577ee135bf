"""P1-P7: what attention memorises against its sizes, over the published points and the bounds."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

Fits = dict[str, dict[str, float]]
LABELS = {"uniform": "uniform eval_distribution (exact)", "train": "sampled eval_distribution"}


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
        label="published (sampled eval_distribution)" if len(known) else None,
    )  # fmt: skip


def eval_distributions(axes: Axes, rows: pd.DataFrame, x: str) -> None:
    """Draw an experiment's points by both eval_distributions, with its references."""
    for k, (eval_distribution, own) in enumerate(rows.groupby("eval_distribution", sort=False)):
        name = str(eval_distribution)
        draw_points(axes, own, x, COLOURS[k], LABELS.get(name, name), style.LINES[k])
    draw_references(axes, rows[rows.eval_distribution != "train"], x)


def heads(config: StyleConfig, points: pd.DataFrame, fits: Fits) -> Figure:
    """P1: accuracy against the number of n_heads, a panel for each dimension."""
    rows = points[points.experiment == "P1"]
    protocol = points[(points.experiment == "P1_published") & (points.eval_distribution == "train")]
    dims = sorted(rows.d.unique())
    columns = 4
    figure, axes = style.panels(
        config, -(-len(dims) // columns), columns,
        "P1: accuracy is linear in the number of n_heads H until it saturates (exact engine)",
    )  # fmt: skip
    flat = [axis for row in axes for axis in row]
    for axis, d in zip(flat, dims, strict=False):
        eval_distributions(axis, rows[rows.d == d], "n_heads")
        again = protocol[protocol.d == d]
        axis.plot(
            again.n_heads,
            again.accuracy,
            "x",
            color=COLOURS[1],
            ms=6,
            label="published protocol, run again",
        )
        fit = fits.get(f"P1.linear_d{d}")
        slope = f", slope {fit['slope']:.4f}" if fit else ""
        axis.set_title(f"d = d_h = {d}{slope}", loc="left")
        axis.set(xlabel="n_heads H", ylabel="accuracy", ylim=(0, 1.03))
    for axis in flat[len(dims) :]:
        axis.remove()
    style.legend_below(figure, *flat[: len(dims)])
    return figure


def widths(config: StyleConfig, points: pd.DataFrame, fits: Fits) -> Figure:
    """P2 and P3: accuracy against the n_heads' dimension and against the embedding's."""
    figure, axes = style.panels(
        config,
        1,
        2,
        "P2: quadratic in d_h.   P3: piecewise linear in d (H = 20)",
        width=1.5,
    )
    left, right = axes[0]
    eval_distributions(left, points[points.experiment == "P2"], "d_head")
    eval_distributions(right, points[points.experiment == "P3"], "d")
    left.set(xlabel="module dimension d_h (d = 10)", ylabel="accuracy")
    right.set(xlabel="embedding dimension d (d_h = 10)", ylabel="accuracy")
    quadratic, hinge = fits.get("P2.quadratic_mapped"), fits.get("P3.piecewise_mapped")
    fit: dict[str, Any] = {"color": COLOURS[2], "lw": 1.1, "label": "fit for d_h ≠ d"}
    if quadratic:
        x = np.linspace(1, 10, 50)
        y = quadratic["constant"] + quadratic["linear"] * x + quadratic["quadratic"] * x**2
        left.plot(x, y, **fit)
        left.set_title(
            f"R$^2$ = {quadratic['r2']:.3f} (line: {quadratic['r2_of_a_line']:.3f})", loc="left"
        )
    if hinge:
        d = points[points.experiment == "P3"].d
        x = np.array([d.min(), hinge["break"], d.max()])
        slope = np.where(x < hinge["break"], hinge["slope_before"], hinge["slope_after"])
        right.plot(x, hinge["at_break"] + slope * (x - hinge["break"]), **fit)
        right.axvspan(hinge["break_low"], hinge["break_high"], color=COLOURS[2], alpha=0.15, lw=0)
        right.set_title(
            f"break at d = {hinge['break']:.1f} [{hinge['break_low']:.1f}, "
            f"{hinge['break_high']:.1f}], slopes {hinge['slope_before']:.3f}, "
            f"{hinge['slope_after']:.3f}",
            loc="left",
        )
    style.legend_below(figure, left, right)
    return figure


def slopes(config: StyleConfig, fits: Fits) -> Figure:
    """P4: the slopes of P1 against the dimension, between guides of d^2 and d^3."""
    found = sorted(
        (int(name.removeprefix("P1.linear_d")), fit)
        for name, fit in fits.items()
        if name.startswith("P1.linear_d")
    )
    d = np.array([dimension for dimension, _ in found], dtype=float)
    slope = np.array([fit["slope"] for _, fit in found])
    half_width = np.abs(
        np.array([[fit["slope_low"], fit["slope_high"]] for _, fit in found]).T - slope
    )
    growth = fits.get("P4.slope_growth", {})
    claim = (
        f"exponent {growth['exponent']:.2f} "
        f"[{growth['exponent_low']:.2f}, {growth['exponent_high']:.2f}]"
        if growth
        else ""
    )
    figure, axes = style.panels(config, 1, 1, f"P4: growth of P1's slopes, {claim}", width=1.8)
    axis = axes[0][0]
    axis.errorbar(
        d, slope, half_width, fmt="o", color=COLOURS[0], ms=4, label="slope of accuracy in H"
    )
    for power, line in ((2, "--"), (3, ":")):
        if len(d):
            axis.plot(d, slope[-1] * (d / d[-1]) ** power, line, color="grey", label=f"d^{power}")
    axis.set(xlabel="d = d_h", ylabel="slope of accuracy in H", xscale="log", yscale="log")
    axis.set_xticks(d, [f"{value:g}" for value in d])
    axis.minorticks_off()
    style.legend_below(figure, axis)
    return figure


def mlp(config: StyleConfig, points: pd.DataFrame) -> Figure:
    """P5: attention and MLP memory at equal parameter count."""
    rows = points[(points.experiment == "P5") & (points.eval_distribution != "train")]
    dims = sorted(rows.d.unique())
    figure, axes = style.panels(
        config,
        1,
        max(len(dims), 1),
        "P5: attention and MLP memory at equal parameter count (uniform eval_distribution)",
    )
    for axis, d in zip(axes[0], dims, strict=False):
        own = rows[rows.d == d].drop_duplicates(["n_heads", "width"])
        draw_points(axis, own[own.width == 0], "parameters", COLOURS[0], "attention: H n_heads")
        single = own[(own.width == 0) & (own.n_heads == 1)]
        draw_points(
            axis,
            pd.concat([single, own[own.width > 0]]),
            "parameters",
            COLOURS[1],
            "one module and an MLP",
            "--",
        )
        axis.set_title(f"d = {d}", loc="left")
        axis.set(xlabel="parameters", ylabel="accuracy", ylim=(0, 1.03))
    style.legend_below(figure, *axes[0][: len(dims)])
    return figure


def small(config: StyleConfig, points: pd.DataFrame) -> Figure:
    """P6: the smallest memories against the lower bounds."""
    rows = points[points.experiment == "P6"]
    n = int(rows.n.max())
    figure, axes = style.panels(config, 1, 1, f"P6: d = d_h = 2, N = 10 ({n} seeds)", width=2.5)
    axis = axes[0][0]
    eval_distributions(axis, rows, "n_heads")
    axis.set(xlabel="n_heads H", ylabel="accuracy", ylim=(0, 1.03))
    style.legend_below(figure, axis)
    return figure


def large(config: StyleConfig, points: pd.DataFrame) -> Figure:
    """P7: N = 200 and three layers; says so if it was not run."""
    rows = points[(points.experiment == "P7") & (points.eval_distribution != "train")]
    figure, axes = style.panels(
        config, 1, 1, "P7: large memories (uniform eval_distribution)", width=1.8
    )
    axis = axes[0][0]
    if rows.empty:
        axis.text(
            0.5, 0.5, "off: set memory.train_large.run", ha="center", transform=axis.transAxes
        )
    for k, ((N, layers, d), own) in enumerate(rows.groupby(["N", "n_layers", "d"])):
        label = f"N = {N}, d = {d}, layers {layers}"
        draw_points(
            axis, own, "n_heads", COLOURS[k % len(COLOURS)], label, style.LINES[int(layers) > 1]
        )
    axis.set(xlabel="n_heads H", ylabel="accuracy", ylim=(0, 1.03))
    if not rows.empty:
        style.legend_below(figure, axis)
    return figure


def as_fits(table: pd.DataFrame) -> Fits:
    """Read fits from their long table."""
    found: dict[str, Any] = {}
    for row in table.itertuples():
        found.setdefault(str(row.fit), {})[str(row.quantity)] = float(row.value)
    return found
