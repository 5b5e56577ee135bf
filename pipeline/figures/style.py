"""The one style of all figures: sizes, colours, panels."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from pipeline.config import Section

# Okabe & Ito's colours can be told apart by colour-blind readers; black is kept for the truth.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
TRUTH = "#000000"
LINES = ("-", "--", "-.", ":")
FLOOR = 1e-16  # below float64's rounding a logarithmic axis shows nothing


class StyleConfig(Section):
    """Sizes: ``dpi`` of the PNG files, the font in points, one panel in inches."""

    dpi: Annotated[int, Field(ge=50, le=600)]
    font_size: Annotated[float, Field(ge=4, le=24)]
    panel_width: Annotated[float, Field(gt=0.5, le=10)]
    panel_height: Annotated[float, Field(gt=0.5, le=10)]


@contextmanager
def applied(style: StyleConfig) -> Iterator[None]:
    """Draw in the project's style inside the block."""
    settings: Any = {
        "font.size": style.font_size,
        "axes.titlesize": style.font_size,
        "legend.fontsize": style.font_size - 1,
        "figure.dpi": style.dpi,
        "savefig.dpi": style.dpi,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.alpha": 0.25,
        "grid.linewidth": 0.5,
        "lines.linewidth": 1.3,
        "legend.frameon": False,
        "axes.prop_cycle": cycler(color=COLOURS),
        "figure.constrained_layout.use": True,
    }
    with mpl.rc_context(settings):
        yield


def canvas(style: StyleConfig, width: float, height: float, title: str) -> Figure:
    """Make a figure of that many panels' size, with a title that says what it claims."""
    # Title and legend take the same room whatever the number of panels.
    rest = style.font_size / 72 * (4 + 1.3 * title.count("\n"))
    size = (style.panel_width * width, style.panel_height * height + rest)
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(title, fontsize=style.font_size + 1)
    return figure


def panels(
    style: StyleConfig, rows: int, columns: int, title: str, *, width: float = 1.0
) -> tuple[Figure, list[list[Axes]]]:
    """Make a figure of rows x columns panels, each ``width`` times as wide as one panel."""
    figure = canvas(style, width * columns, float(rows), title)
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, [list(row) for row in axes]


def banded(
    axes: Axes,
    x: Float[np.ndarray, " point"],
    band: Float[np.ndarray, "3 point"],
    colour: str,
    *,
    label: str | None = None,
    line: str = "-",
) -> None:
    """Draw a median with its interval over seeds as a shaded band."""
    middle, low, high = band
    axes.plot(x, middle, color=colour, label=label, linestyle=line)
    axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)


def legend_below(figure: Figure, *sources: Axes) -> None:
    """Put one legend of what is drawn in these panels below all of them, off the data.

    It has as many columns, up to six, as the figure's width holds.
    """
    entries: dict[str, Any] = {}
    for axes in sources:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            entries.setdefault(label, handle)
    for columns in range(min(len(entries), 6), 0, -1):
        legend = figure.legend(
            list(entries.values()), list(entries), loc="outside lower center", ncols=columns
        )
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()


def until_out_of_sight(
    path: Float[np.ndarray, "step channel"], half_width: Float[np.ndarray, " channel"]
) -> Float[np.ndarray, "step channel"]:
    """Blank a path from its first step beyond three half-widths: a model that ran away."""
    gone = np.logical_or.accumulate(~(np.abs(path) <= 3 * half_width).all(axis=1))
    return np.where(gone[:, None], np.nan, path)


def decades(axes: Axes, *arrays: Float[np.ndarray, "..."], least: int = 2) -> None:
    """Make the y axis logarithmic over whole decades of the data, at least ``least``."""
    joined = np.concatenate([np.maximum(a, FLOOR).ravel() for a in arrays])
    low, high = math.floor(np.log10(joined.min())), math.ceil(np.log10(joined.max()))
    axes.set_yscale("log")
    axes.set_ylim(10.0 ** min(low, high - least), 10.0**high)


def intervals(
    axes: Axes, table: Any, y: Float[np.ndarray, " row"], colour: str, label: str
) -> None:
    """Draw each row of a table (median, low, high) as a dot with its interval, along x."""
    middle = np.maximum(table["median"].to_numpy(), FLOOR)
    low, high = (np.maximum(table[end].to_numpy(), FLOOR) for end in ("low", "high"))
    axes.errorbar(
        middle, y, xerr=[middle - low, high - middle],
        fmt="o", color=colour, markersize=4, linewidth=1.2, capsize=2, label=label,
    )  # fmt: skip
