"""E6: the energy-based model against mixtures, in the plane and in numbers."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.core.stats.intervals import Summary
from pipeline.figures import style
from pipeline.figures.energy import names
from pipeline.figures.style import COLOURS, StyleConfig
from pipeline.labs.energy.report.likelihood import Examples

MARKERS = ("o", "s", "x", "^")
MODELS = list(names.LIKELIHOOD_MODELS)


def likelihood(
    config: StyleConfig, losses: pd.DataFrame, examples: Examples, results: dict[str, Summary]
) -> Figure:
    """Draw each set's points with the stored patterns, and the held-out losses below."""
    title = (
        "E6 The continuous network as an energy-based model is a Gaussian mixture with weights "
        "tied to its patterns:\nwhat that costs on points not seen in training"
    )
    figure, [above, below] = style.panels(config, 2, len(examples.sets), title)
    for k, (name, plane, bars) in enumerate(zip(examples.sets, above, below, strict=True)):
        stored(plane, examples, k)
        held_out(bars, losses[losses["set"] == name], labelled=k == 0)
        cost = names.bracketed(results[name], "tied_weights_cost", 2).replace(" ", "\n", 1)
        bars.set_title(f"tied weights cost {cost}, {results[name]['n']} seeds")
    below[0].set_ylabel("model")
    return figure


def stored(axes: Axes, examples: Examples, k: int) -> None:
    """Draw the points of set ``k`` and what each model stores for them, for one seed."""
    axes.plot(*examples.points[k].T, ".", color="0.8", markersize=2)
    for model, means in zip(examples.models, examples.means[k], strict=True):
        index = MODELS.index(model)
        axes.plot(*means.T, MARKERS[index], color=COLOURS[index], markersize=5, fillstyle="none")
    axes.set(aspect="equal", adjustable="datalim", xlabel="x", ylabel="y")
    axes.set_title(f"{names.words(examples.sets[k])}\nseed {examples.seed[k]}, of median cost")


def held_out(axes: Axes, losses: pd.DataFrame, *, labelled: bool) -> None:
    """Draw the loss of every model, a row each."""
    rows = losses.set_index("model").loc[MODELS]
    for k, (_, row) in enumerate(rows.iterrows()):
        spread = [[row["loss"] - row["low"]], [row["high"] - row["loss"]]]
        axes.errorbar(row["loss"], -k, xerr=spread, marker=MARKERS[k], color=COLOURS[k],
                      capsize=2, fillstyle="none")  # fmt: skip
    labels = list(names.LIKELIHOOD_MODELS.values()) if labelled else [""] * len(MODELS)
    axes.set_yticks([-k for k in range(len(MODELS))], labels)
    axes.set(xlabel="$-\\log p$ (nats a point)", ylim=(-len(MODELS) + 0.5, 0.5))
