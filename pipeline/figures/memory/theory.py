"""M8, M9: which directions U chooses, the second-order theory, and the notebook's transposition."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.memory.labels import ALIGNMENTS, listed, named, seeds
from pipeline.figures.memory.mechanism import Results, band, interval
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

NATS = "divergence of the uniform prediction (nats)"
PREDICTIONS = {
    "trained": "trained",
    "second_order": "second order, given U",
    "least_squares": "least squares, given U",
    "truncated": "truncated SVD",
    "uniform": "uniform",
}
PRINTED = "printed"


def geometry(config: StyleConfig, table: pd.DataFrame, results: Results) -> Figure:
    """M8: how far U's columns are from the true directions, over the rank and the logits' scale.

    ``table`` has a row a seed, ``results`` are M8's medians.
    """
    ranked = table[table.logit_scale == table.logit_scale.min()]
    figure, axes = style.panels(
        config, 1, 3,
        f"M8: distance of U's column space from the distribution's {listed(table.d)} leading "
        f"directions\n(dots: {seeds(ranked.groupby(['alignment', 'rank']).seed.nunique())}; lines "
        "and bands: medians, intervals)", width=1.2,
    )  # fmt: skip
    panels = (
        ("distance", "from the SVD of the log-probabilities"),
        ("distance_to_W", "from the SVD of the generating W"),
    )
    for axis, (quantity, title) in zip(axes[0], panels, strict=False):
        for k, (alignment, rows) in enumerate(ranked.groupby("alignment")):
            ranks = np.unique(rows["rank"])
            of_ranks = [results[f"{alignment}_rank{rank}"] for rank in ranks]
            _distances(axis, ranks.astype(float), of_ranks, quantity, k, str(alignment))
            axis.plot(rows["rank"], rows[quantity], ".", ms=4, alpha=0.5, color=COLOURS[k])
        axis.set(xlabel="rank of the distribution", ylabel="projector distance", ylim=(0, None))
        axis.set_title(title, loc="left")
    _over_scales(axes[0][2], table, results)
    style.legend_below(figure, axes[0][0])
    return figure


def _over_scales(axis: Axes, table: pd.DataFrame, results: Results) -> None:
    """Draw the distances of the greatest rank against how far from uniform the distribution is."""
    top = table[table["rank"] == table["rank"].max()]
    for k, (alignment, rows) in enumerate(top.groupby("alignment")):
        names = [f"{alignment}_rank{rows['rank'].max()}"]
        names += [f"{alignment}_scale_{scale:g}" for scale in np.unique(rows.logit_scale)]
        measured = [results[name] for name in names if name in results]
        uniform = np.array([each["uniform"] for each in measured])
        _distances(axis, uniform, measured, "distance", k, str(alignment))
        axis.plot(rows.uniform, rows.distance, ".", ms=4, alpha=0.5, color=COLOURS[k])
    axis.set(xlabel=NATS, xscale="log", ylabel="projector distance", ylim=(0, None))
    axis.set_title(f"rank {top['rank'].max()} at larger logits, from the SVD", loc="left")


def _distances(
    axis: Axes, x: np.ndarray, measured: Sequence[Results], quantity: str, k: int, alignment: str
) -> None:
    label = named(alignment, ALIGNMENTS)
    middle, base = (
        np.array([band(each, name) for each in measured]).T for name in (quantity, "random")
    )
    style.banded(axis, x, middle, COLOURS[k], label=label)
    style.banded(axis, x, base, COLOURS[k], label=f"{label}, random directions", line=":")


def second_order(config: StyleConfig, table: pd.DataFrame, results: Results) -> Figure:
    """M9: divergences and errors of the theory and its rivals, over how far from uniform it is.

    ``table`` has a row a seed and scale of the logits, ``results`` are M9's.
    """
    scales = np.unique(table.logit_scale)
    measured = [results[f"scale_{scale:g}"] for scale in scales]
    x = np.array([each["uniform"] for each in measured])
    furthest = measured[-1]
    figure, axes = style.panels(
        config, 1, 2,
        f"M9: the theory's logits are off by {interval(measured[0], 'error_second_order', 3)} of "
        f"the trained ones at {x[0]:.2g} nats from uniform,\nby "
        f"{interval(furthest, 'error_second_order')} at {x[-1]:.2g} nats, the truncated SVD's by "
        f"{interval(furthest, 'error_truncated')} "
        f"(medians and intervals, {seeds(each['n'] for each in measured)})", width=1.5,
    )  # fmt: skip
    left, right = axes[0]
    for k, (name, label) in enumerate(PREDICTIONS.items()):
        colour = TRUTH if name == "trained" else COLOURS[k]
        middle = np.array([band(each, name) for each in measured]).T
        style.banded(left, x, middle, colour, label=label)
        if f"error_{name}" in furthest:
            middle = np.array([band(each, f"error_{name}") for each in measured]).T
            style.banded(right, x, middle, colour)
    left.set(xlabel=NATS, ylabel="divergence (nats)", xscale="log", yscale="log")
    right.set(xlabel=NATS, ylabel="error over the trained logits", xscale="log", yscale="log")
    style.legend_below(figure, left)
    return figure


def transposition(config: StyleConfig, table: pd.DataFrame, results: Results) -> Figure:
    """M9: the notebook's printed ratios, and ours with the table transposed and in order.

    ``table`` has a row a context of every source, ``results`` are M9's.
    """
    printed, here = results["printed"], results["transposed"]
    figure, axes = style.panels(
        config, 1, 1,
        f"M9: the notebook's {printed['contexts']} printed ratios. Contexts a = b: up to "
        f"{printed['equal_greatest']:.2f}, all others from {printed['other_least']:.2f}.\nHere, "
        f"with the table transposed: up to {interval(here, 'equal_greatest')}, others from "
        f"{interval(here, 'other_least')} ({seeds([here['n']])})", width=2.6,
    )  # fmt: skip
    axis = axes[0][0]
    own = table[table.source != PRINTED]
    columns = [("printed by the\nnotebook", table[table.source == PRINTED], "ratio")]
    for source, rows in own.groupby("source", sort=False):
        columns.append((f"transposed,\n{source}", rows, "ratio"))
    columns.append((f"in order,\n{seeds([own.source.nunique()])}", own, "ratio_in_order"))
    for place, (_, rows, quantity) in enumerate(columns):
        equal = (rows["first"] == rows.second).to_numpy()
        for chosen, colour, marker, label, shift in (
            (equal, COLOURS[1], "o", "contexts a = b", -0.12),
            (~equal, COLOURS[0], "_", "all other contexts", 0.12),
        ):
            values = rows[quantity].to_numpy()[chosen]
            axis.plot(
                np.full(len(values), place + shift), values, marker, color=colour, ms=5,
                alpha=0.6, label=label if place == 0 else None,
            )  # fmt: skip
    axis.axhline(1.0, color="grey", lw=0.8, ls=":")
    axis.set_xticks(range(len(columns)), [name for name, _, _ in columns])
    axis.set(
        xlabel="", ylabel="divergence of the context's\ntrained over second-order logits",
        yscale="log",
    )  # fmt: skip
    style.legend_below(figure, axis)
    return figure
