"""M5-M9: attention maps, heads, superposition, geometry and theory."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline.figures import style
from pipeline.figures.style import COLOURS, StyleConfig

Arrays = dict[str, Any]


def heat(
    axes: Axes,
    values: Any,
    title: str,
    *,
    signed: bool,
    label: tuple[str, str] = ("second token", "first token"),
) -> None:
    """Draw a matrix with its colour bar; signed values around white."""
    half_width = float(np.nanmax(np.abs(values))) or 1.0
    image = axes.imshow(
        values, aspect="auto", interpolation="nearest", cmap="RdBu_r" if signed else "viridis",
        vmin=-half_width if signed else 0.0, vmax=half_width if signed else 1.0,
    )  # fmt: skip
    axes.grid(False)
    axes.set(xlabel=label[0], ylabel=label[1])
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_title(title, loc="left")
    axes.figure.colorbar(image, ax=axes, shrink=0.85)


def maps(config: StyleConfig, found: Arrays) -> Figure:
    """M5: the attention that each head gives to the first token, and its singular values."""
    heads, possible = found["maps"], found["possible"]
    figure, axes = style.panels(
        config, 1, len(heads) + 1,
        "M5: attention to the first token, by context (first seed). "
        f"Dots: the {possible.sum():,} of {possible.size:,} contexts that occur",
    )  # fmt: skip
    first, second = possible.nonzero()
    for k, (axis, head) in enumerate(zip(axes[0], heads, strict=False)):
        heat(axis, head, f"head {k}", signed=False)
        axis.plot(second, first, "o", ms=3.2, color=COLOURS[1], mec="white", mew=0.5)
    last = axes[0][-1]
    parts = (("singular", "the whole map"), ("singular_seen", "first tokens that occur"))
    for colour, (name, label) in zip(COLOURS, parts, strict=False):
        index = np.arange(1.0, found[name].shape[1] + 1)
        style.banded(last, index, np.maximum(found[name], style.FLOOR), colour, label=label)
    last.set(xlabel="index", ylabel="singular value", yscale="log", ylim=(1e-4, None))
    last.set_title("all heads and seeds", loc="left")
    last.legend()
    return figure


def heads(config: StyleConfig, found: Arrays) -> Figure:
    """M6: what each head adds to the right logit, and to every logit, alone and together."""
    solo, pushed, coordinates = found["solo"], found["logits"], found["coordinates"]
    count = len(solo)
    figure, axes = style.panels(
        config, 3, count + 1, "M6: contributions of the heads (first seed; blank: no such context)",
        width=1.0,
    )  # fmt: skip
    blank = np.where(found["possible"], 0.0, np.nan)
    for k in range(count):
        heat(axes[0][k], solo[k] + blank, f"head {k} alone, right logit", signed=True)
        heat(
            axes[1][k],
            pushed[k],
            f"head {k}, logit basis",
            signed=True,
            label=("token pushed", "right answer"),
        )
        heat(
            axes[2][k],
            coordinates[k],
            f"head {k}, pseudo-inverse basis",
            signed=True,
            label=("token of U", "right answer"),
        )
    heat(axes[0][-1], found["group"] + blank, "all heads together", signed=True)
    heat(axes[1][-1], found["gram"], "U U$^T$", signed=True, label=("token", "token"))
    both = (pushed > 0).all(0).astype(float)
    heat(axes[2][-1], both, "pushed up by all heads", signed=False, label=("token", "right answer"))
    return figure


def superposition(config: StyleConfig, found: Arrays) -> Figure:
    """M7: inner products of unembeddings and of context vectors, and the answers' cosines."""
    figure, axes = style.panels(
        config, 2, 3, "M7: superposition on a distribution of low entropy (first seed)"
    )
    contexts = ("context, by answer", "context, by answer")
    for row, (name, title) in zip(
        axes, (("low_rank", "low-rank"), ("attention", "attention")), strict=True
    ):
        heat(row[0], found[f"{name}_U"], f"{title}: U U$^T$", signed=True, label=("token", "token"))
        symbol = "E E$^T$" if name == "low_rank" else "A A$^T$"
        heat(row[1], found[f"{name}_e"], f"{title}: {symbol}", signed=True, label=contexts)
    for values, name, colour in zip(
        found["cosines"], ("low-rank", "attention"), COLOURS, strict=False
    ):
        axes[0][2].hist(
            values, bins=np.linspace(-1, 1, 41).tolist(), histtype="step", color=colour, label=name
        )
    axes[0][2].set(xlabel="cosine with the right row of U", ylabel="contexts")
    axes[0][2].legend(loc="upper left")
    heat(
        axes[1][2],
        found["inputs"],
        "attention: (E + P)(E + P)$^T$",
        signed=True,
        label=("token at position", "token at position"),
    )
    return figure


def geometry(config: StyleConfig, table: pd.DataFrame) -> Figure:
    """M8: how far U's columns are from the true directions, over the distribution's rank."""
    figure, axes = style.panels(
        config,
        1,
        2,
        "M8: distance of U's column space from the distribution's rank-5 directions",
        width=1.4,
    )
    panels = (
        ("distance", "SVD of the log-probabilities"),
        ("distance_to_W", "SVD of the generating W"),
    )
    for axis, (quantity, title) in zip(axes[0], panels, strict=True):
        for colour, (alignment, own) in zip(COLOURS, table.groupby("alignment"), strict=False):
            middle = own.groupby("rank")[quantity].median()
            axis.plot(middle.index, middle, "o-", ms=3, color=colour, label=f"axis {alignment}")
            axis.plot(own["rank"], own[quantity], ".", ms=3, alpha=0.5, color=colour)
        base = table.groupby("rank").random.mean()
        axis.plot(base.index, base, ":", color="grey", label="random directions")
        axis.set(xlabel="rank of the distribution", ylabel="projector distance", ylim=(0, None))
        axis.set_title(title, loc="left")
    style.legend_below(figure, axes[0][0])
    return figure


def theory(config: StyleConfig, table: pd.DataFrame) -> Figure:
    """M9: divergences of trained, second-order and truncated logits; cosines by row order."""
    figure, axes = style.panels(
        config,
        1,
        2,
        "M9: second-order context vectors explain the trained ones (a dot a seed)",
        width=1.4,
    )
    left, right = axes[0]
    columns = ("trained", "second_order", "truncated", "uniform")
    for k, name in enumerate(columns):
        left.plot(np.full(len(table), k), table[name], "o", ms=4, color=COLOURS[k])
    left.set_xticks(range(len(columns)), ["trained", "second\norder", "truncated\nSVD", "uniform"])
    left.set(ylabel="divergence (nats)", yscale="log")
    for k, name in enumerate(("cosine", "cosine_transposed")):
        right.plot(np.full(len(table), k), table[name], "o", ms=4, color=COLOURS[k])
    right.set_xticks([0, 1], ["rows in the\nlaw's order", "rows transposed\n(the notebook)"])
    right.set(ylabel="median cosine with trained", ylim=(-1.05, 1.05), xlim=(-0.5, 1.5))
    return figure
