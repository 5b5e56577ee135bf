"""P1-P4: what attention memorises against its sizes, over the published points and the bounds."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.memory.labels import ENGINES, EVALUATED, FORMS, listed, named, seeds
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

Fits = dict[str, dict[str, float]]
AGAIN = "P1_published"  # P1 by the published protocol, run again
COLUMNS = 4
ENDS = ("_low", "_high")


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


def heads(config: StyleConfig, points: pd.DataFrame, fits: Fits, results: dict[str, Any]) -> Figure:
    """P1: accuracy against the number of heads, a panel for each dimension, and the gaps.

    ``results`` are P1's: the mean gaps to the published accuracies among them.
    """
    rows = points[points.experiment == "P1"]
    protocol = points[(points.experiment == AGAIN) & (points.eval_distribution == "train")]
    dims = sorted(rows.d.unique())
    told = fits.get("P1.curvature")
    claim = (
        f"a line at {told['share_of_lines'] * told['n']:.0f} of {told['n']:.0f} d "
        "(the interval of the curvature holds 0)"
        if told
        else "too few points rise for a line"
    )
    engine = ", ".join(named(name, ENGINES) for name in rows.engine.unique())
    figure, axes = style.panels(
        config, -(-(len(dims) + 1) // COLUMNS), COLUMNS,
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
        bend = f", bend {fit['bend']:+.0%}" if fit and "bend" in fit else ""
        axis.set_title(f"d = d_h = {d}{bend}", loc="left")
        axis.set(xlabel="heads H", ylabel="accuracy", ylim=(0, 1.03))
    _draw_gaps(flat[len(dims)], results)
    for axis in flat[len(dims) + 1 :]:
        axis.remove()
    style.legend_below(figure, *flat[: len(dims)])
    return figure


def _draw_gaps(axes: Axes, results: dict[str, Any]) -> None:
    """Draw P1's accuracy less the published one against H, the mean over d."""
    start = "published_gap_h"
    gaps = sorted(
        (int(name.removeprefix(start)), gap)
        for name, gap in results.items()
        if name.startswith(start)
    )
    if gaps:
        band = np.array([[gap[f"gap_train{end}"] for _, gap in gaps] for end in ("", *ENDS)])
        style.banded(axes, np.array([H for H, _ in gaps], dtype=float), band, COLOURS[3])
    axes.axhline(0, color=TRUTH, lw=0.8)
    axes.set_title("ours less published, over d", loc="left")
    axes.set(xlabel="heads H", ylabel="difference in accuracy")


def widths(config: StyleConfig, points: pd.DataFrame, fits: Fits) -> Figure:
    """P2 and P3: accuracy against the heads' dimension and against the embedding's."""
    by_head, by_width = points[points.experiment == "P2"], points[points.experiment == "P3"]
    both = pd.concat([by_head, by_width])
    figure, axes = style.panels(
        config, 2, 2,
        f"P2, P3: accuracy against the widths d_h and d (H = {listed(both.n_heads)}; "
        f"{seeds(both.n)}), and the errors of forms of curves at sizes left out", width=1.5,
    )  # fmt: skip
    left, right = axes[0]
    draw_evaluations(left, by_head, "d_head")
    draw_evaluations(right, by_width, "d")
    left.set(xlabel=f"head dimension d_h (d = {listed(by_head.d)})", ylabel="accuracy")
    right.set(xlabel=f"embedding dimension d (d_h = {listed(by_width.d_head)})", ylabel="accuracy")
    _draw_quadratic(left, by_head.d_head, fits.get("P2.quadratic_mapped"))
    _draw_joined_lines(right, by_width.d, fits.get("P3.piecewise_mapped"))
    _draw_forms(axes[1][0], fits.get("P2.forms_mapped"), "quadratic")
    _draw_forms(axes[1][1], fits.get("P3.forms_mapped"), "joined_lines")
    style.legend_below(figure, left, right)
    return figure


def _draw_forms(axes: Axes, errors: dict[str, float] | None, claimed: str) -> None:
    """Draw the errors of the forms fitted to d_h other than d, the claimed one in its colour."""
    if errors is None:
        axes.set_axis_off()
        return
    start = "error_"
    names = [
        name.removeprefix(start)
        for name in errors
        if name.startswith(start) and not name.endswith(ENDS)
    ]
    names.sort(key=lambda name: -errors[start + name])
    for y, name in enumerate(names):
        middle, low, high = (errors[f"{start}{name}{end}"] for end in ("", *ENDS))
        axes.errorbar(
            middle, y, xerr=[[middle - low], [high - middle]], fmt="o", ms=4, capsize=2,
            color=COLOURS[2] if name == claimed else "grey",
        )  # fmt: skip
    axes.set_yticks(range(len(names)), [named(name, FORMS) for name in names])
    axes.set(xlabel="error at sizes left out (accuracy, d_h ≠ d)")
    axes.set_xlim(left=0)


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
        f"break at {middle:.1f} [{low:.1f}, {high:.1f}], slopes {before:.2f}, {after:.2f}",
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
    claim = _growth_in_words(growth) if growth else "too few of them rise for an exponent"
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


def _growth_in_words(growth: dict[str, float]) -> str:
    exponent, low, high = (growth[f"exponent{end}"] for end in ("", *ENDS))
    whole = f"exponent {exponent:.2f} [{low:.2f}, {high:.2f}] over {growth['n']:.0f} dimensions"
    if "is_power" not in growth:
        return whole
    halves = (
        f"{growth['exponent_lower_half']:.2f} up to d = {growth['middle']:.0f}, "
        f"{growth['exponent_upper_half']:.2f} from there"
    )
    verdict = "one power does" if growth["is_power"] else "not one power"
    return f"{verdict}:\n{halves};\n{whole}"
