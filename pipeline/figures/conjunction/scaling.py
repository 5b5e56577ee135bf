"""C5: samples needed against the number of positions."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.conjunction.axes import draw_curve, draw_most, label_axes, label_sizes
from pipeline.figures.conjunction.names import LEARNERS, TUTORIAL, variant_words, words
from pipeline.figures.style import COLOURS, LINES, StyleConfig
from pipeline.labs.conjunction.report.scaling import ABLATED, ADDED, PERFECT
from pipeline.labs.conjunction.train.curves import AttentionCurve, SearchConfig

SLOW = 0.5  # an exponent whose interval lies below is shown beside the logarithm
APART = 1.025  # factor on T between neighbouring variants


def scaling(
    config: StyleConfig, complexity: pd.DataFrame, fits: pd.DataFrame, search: SearchConfig
) -> Figure:
    """Draw C5's learners on logarithmic axes, and the slow ones on a linear axis of samples.

    Beside the slow ones stands what nine seeds in ten need.

    ``complexity`` is a table of SampleComplexityRow, ``fits`` of ScalingFitRow; of the variants of
    the tutorial's attention only the tutorial's own is drawn.
    """
    is_other = fits.learner.str.startswith((ABLATED, ADDED, PERFECT))
    fits = fits[~is_other | (fits.learner == TUTORIAL)]
    complexity = complexity[complexity.learner.isin(fits.learner)]
    title = f"C5  Samples needed for {search_words(search)}\nintervals: bootstrap over n seeds"
    figure = style.canvas(config, 3.4, 1.5, title)  # room for a legend of three rows
    left, right = figure.subplots(1, 2)
    for k, (_, fit) in enumerate(fits.iterrows()):
        curve = complexity[complexity.learner == fit.learner]
        name, colour = words(LEARNERS, str(fit.learner)), COLOURS[k % len(COLOURS)]
        draw_curve(left, curve, colour, f"{name}{exponent_words(fit)}, n = {fit.seeds}")
        if fit.exponent_high < SLOW:
            draw_curve(right, curve, colour, f"{name}: {fit.samples_per_doubling:.1f} a doubling")
            draw_most(right, curve, colour)
    left.set(xscale="log", yscale="log")
    right.set(xscale="log", ylim=(0, None))
    left.set_title("exponents: fits of a power of $T$", loc="left")
    right.set_title(
        f"exponents below {SLOW:g}: a straight line here is the logarithm\n"
        "dotted: what nine seeds in ten need, where known",
        loc="left",
    )
    if right.containers:
        right.legend()
    # Long entries: six beside each other would run off the figure.
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    for axis in (left, right):
        label_axes(axis, complexity.positions)
    label_sizes(left, complexity)
    return figure


def search_words(search: SearchConfig) -> str:
    """Say what the samples are needed for."""
    return f"{100 * search.threshold:g} % median accuracy, AND of {search.targets} of $T$ bits"


def exponent_words(fit: "pd.Series[float]") -> str:
    """Say the exponent with its interval, if there is a fit."""
    if pd.isna(fit.exponent):
        return ""
    return f": $T^{{{fit.exponent:.2f}}}$ [{fit.exponent_low:.2f}, {fit.exponent_high:.2f}]"


def ablation(
    config: StyleConfig,
    complexity: pd.DataFrame,
    fits: pd.DataFrame,
    search: SearchConfig,
    variants: Mapping[str, AttentionCurve],
) -> Figure:
    """Draw the variants of the tutorial's attention: their curves, and their exponents.

    The tables as for :func:`scaling`.
    """
    labels = variant_words(variants)
    fits = fits[fits.learner.isin(list(labels))]
    complexity = complexity[complexity.learner.isin(fits.learner)]
    hollow = "; hollow: a $T$ lies beyond the search and is left out of the fit"
    title = (
        "C5  The tutorial's attention, one part changed at a time: samples for "
        f"{search_words(search)}\n"
        f"intervals: bootstrap over {numbers(fits.seeds)} seeds"
        f"{hollow if (fits.fitted < fits.searched).any() else ''}"
    )
    figure, axes = style.panels(config, 1, 2, title, width=1.7)
    left, right = axes[0]
    for k, (_, fit) in enumerate(fits.iterrows()):
        colour, line = COLOURS[k % len(COLOURS)], LINES[k // len(COLOURS)]
        curve = complexity[complexity.learner == fit.learner]
        # Set apart sideways, so that intervals do not hide each other.
        beside = curve.assign(positions=curve.positions * APART ** (k - len(fits) / 2))
        draw_curve(left, beside, colour, labels[str(fit.learner)], line)
        draw_exponent(right, fit, -k, colour)
    right.set_yticks([-k for k in range(len(fits))], [labels[name] for name in fits.learner])
    right.set(xlabel="exponent of $T$")
    left.set(xscale="log", yscale="log")
    style.legend_below(figure, left)
    label_axes(left, complexity.positions)
    label_sizes(left, complexity)
    return figure


def draw_exponent(axis: Axes, fit: "pd.Series[float]", height: int, colour: str) -> None:
    """Draw a fit's exponent with its interval, hollow where a T is left out."""
    around = [[fit.exponent - fit.exponent_low], [fit.exponent_high - fit.exponent]]
    face = colour if fit.fitted == fit.searched else "white"
    axis.errorbar(
        fit.exponent, height, xerr=around, color=colour, marker="o", markerfacecolor=face,
        capsize=3,
    )  # fmt: skip


def numbers(values: "pd.Series[int]") -> str:
    """Say which numbers stand in a column: 12, or 8 to 24."""
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low} to {high}"
