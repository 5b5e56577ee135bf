"""M5-M7: attention maps, heads and superposition.

What is drawn of one seed names it: it is the median one by the quantity that the title tells.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.figures import style
from pipeline.figures.memory.labels import seeds
from pipeline.figures.style import COLOURS, StyleConfig
from pipeline.labs.memory.measure.mechanism import HeadArrays, MapArrays, VectorArrays

Results = dict[str, Any]
BY_ANSWER = ("right answer", "token")


def heat(
    axes: Axes,
    values: Any,
    title: str,
    *,
    signed: bool,
    label: tuple[str, str] = ("first token", "second token"),
) -> None:
    """Draw a matrix with its colour bar; signed values around white. ``label``: rows, columns."""
    half_width = float(np.nanmax(np.abs(values))) or 1.0
    image = axes.imshow(
        values, aspect="auto", interpolation="nearest", cmap="RdBu_r" if signed else "viridis",
        vmin=-half_width if signed else 0.0, vmax=half_width if signed else 1.0,
    )  # fmt: skip
    axes.grid(False)
    axes.set(ylabel=label[0], xlabel=label[1])
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_title(title, loc="left")
    axes.figure.colorbar(image, ax=axes, shrink=0.85)


def band(results: Results, name: str) -> tuple[float, float, float]:
    """Return a median and the ends of its interval."""
    return results[name], results[f"{name}_low"], results[f"{name}_high"]


def interval(results: Results, name: str, digits: int = 2) -> str:
    """Return a median with its interval, "0.82 [0.68, 0.86]"."""
    middle, low, high = (f"{value:.{digits}f}" for value in band(results, name))
    return f"{middle} [{low}, {high}]"


def maps(config: StyleConfig, arrays: MapArrays, results: Results) -> Figure:
    """M5: the attention that each head gives to the first token, and its singular values.

    ``results`` are M5's.
    """
    possible, seen = arrays.possible, results["heads_seen"]
    figure, axes = style.panels(
        config, 1, len(arrays.maps) + 1,
        f"M5: attention to the first token, by context (seed {int(arrays.seed)}, the median one). "
        f"Dots: the {possible.sum():,} of {possible.size:,} contexts that occur.\n"
        f"Effective rank of the rows of the {int(possible.any(1).sum())} first tokens that occur: "
        f"{interval(seen, 'effective_rank')} ({seeds([seen['n']])})",
    )  # fmt: skip
    first, second = possible.nonzero()
    for k, (axis, head) in enumerate(zip(axes[0], arrays.maps, strict=False)):
        heat(axis, head, f"head {k}", signed=False)
        axis.plot(second, first, "o", ms=3.2, color=COLOURS[1], mec="white", mew=0.5)
    last = axes[0][-1]
    parts = (
        (arrays.singular, "the whole map"),
        (arrays.singular_seen, "first tokens that occur"),
    )
    for colour, (spectrum, label) in zip(COLOURS, parts, strict=False):
        index = np.arange(1.0, spectrum.shape[1] + 1)
        style.banded(last, index, np.maximum(spectrum, style.FLOOR), colour, label=label)
    last.set(xlabel="index", ylabel="singular value", yscale="log", ylim=(1e-4, None))
    last.set_title(f"all heads of {seeds([seen['n']])}", loc="left")
    last.legend()
    return figure


def heads(config: StyleConfig, arrays: HeadArrays, results: Results) -> Figure:
    """M6: what each head adds to the right logit, and to every logit, alone and together.

    ``results`` are M6's.
    """
    count, told = len(arrays.logit_difference), results["heads"]
    figure, axes = style.panels(
        config, 3, count + 1,
        "M6: in what share of contexts is the right logit raised above the mean of the wrong ones?"
        f"\nBy the best head alone {interval(told, 'best_head_positive')}, by the worst "
        f"{interval(told, 'worst_head_positive')}, by all together "
        f"{interval(told, 'logit_difference_positive')} ({seeds([told['n']])}).\n"
        f"Drawn: seed {int(arrays.seed)}, the median one by the logit difference; blank: no such "
        "context",
    )  # fmt: skip
    blank = np.where(arrays.possible, 0.0, np.nan)
    attribution = arrays.direct_logit_attribution
    for k in range(count):
        heat(
            axes[0][k], arrays.logit_difference[k] + blank, f"head {k}, logit difference",
            signed=True,
        )  # fmt: skip
        heat(
            axes[1][k], attribution[k], f"head {k}, direct logit attribution", signed=True,
            label=BY_ANSWER,
        )  # fmt: skip
        heat(
            axes[2][k], arrays.unembedding_coordinates[k], f"head {k}, pseudo-inverse basis",
            signed=True, label=("right answer", "token of U"),
        )  # fmt: skip
    heat(axes[0][-1], arrays.total_logit_difference + blank, "all heads together", signed=True)
    heat(axes[1][-1], arrays.gram, "U U$^T$", signed=True, label=("token", "token"))
    raised = (attribution > 0).all(0).astype(float)
    heat(axes[2][-1], raised, "raised by all heads", signed=False, label=BY_ANSWER)
    return figure


def superposition(config: StyleConfig, arrays: VectorArrays, results: Results) -> Figure:
    """M7: inner products of unembeddings and of context vectors, and the answers' cosines.

    ``results`` are M7's.
    """
    figure, axes = style.panels(
        config, 2, 3,
        "M7: median cosine of context vectors with their right row of U "
        f"({seeds([results['attention']['n']])}):\n"
        f"low-rank {interval(results['low_rank'], 'cosine')}, "
        f"attention {interval(results['attention'], 'cosine')}. "
        f"Drawn: seed {int(arrays.seed)}, the median one by attention's",
    )  # fmt: skip
    contexts = ("context, by answer", "context, by answer")
    parts = (
        (arrays.low_rank_U, arrays.low_rank_e, "low-rank", "E E$^T$"),
        (arrays.attention_U, arrays.attention_e, "attention", "A A$^T$"),
    )
    for row, (U, e, title, symbol) in zip(axes, parts, strict=True):
        heat(row[0], U, f"{title}: U U$^T$", signed=True, label=("token", "token"))
        heat(row[1], e, f"{title}: {symbol}", signed=True, label=contexts)
    for values, (_, _, name, _), colour in zip(arrays.cosines, parts, COLOURS, strict=False):
        axes[0][2].hist(
            values, bins=np.linspace(-1, 1, 41).tolist(), histtype="step", color=colour, label=name
        )
    axes[0][2].set(xlabel="cosine with the right row of U", ylabel="contexts")
    axes[0][2].legend(loc="upper left")
    places = ("token at position", "token at position")
    heat(axes[1][2], arrays.inputs, "attention: (E + P)(E + P)$^T$", signed=True, label=places)
    return figure
