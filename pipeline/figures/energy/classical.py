"""E1: overlap against load in the classical network."""

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, LINES, TRUTH, StyleConfig

LABELS = {
    ("asynchronous", False): "asynchronous, no diagonal",
    ("synchronous", False): "synchronous, no diagonal",
    ("asynchronous", True): "asynchronous, diagonal kept",
    ("synchronous", True): "synchronous, diagonal kept",
}


def overlaps(
    config: StyleConfig,
    curves: pd.DataFrame,
    theory: pd.DataFrame,
    metrics: dict[str, dict[str, dict[str, float]]],
) -> Figure:
    """Draw overlap and retrieved fraction against load by size, and by dynamics at one size."""
    crossings = [found for name, found in metrics["E1"].items() if name.startswith("crossing")]
    last = crossings[-1]
    title = (
        "E1 Classical network: retrieval breaks down at a load of "
        f"{last['critical_load']:.4f} [{last['critical_load_low']:.4f}, "
        f"{last['critical_load_high']:.4f}]; mean-field theory {theory['load'].max():.4f}"
    )
    figure, [[left, middle, right]] = style.panels(config, 1, 3, title)
    compared_size = curves.loc[curves["diagonal"], "d"].iloc[0]  # measured with the diagonal too
    main = curves[(curves["dynamics"] == "asynchronous") & ~curves["diagonal"]]
    for k, (d, own) in enumerate(main.groupby("d")):
        style.banded(left, own["load"].to_numpy(), own[["overlap", "low", "high"]].to_numpy().T,
                     COLOURS[k], label=f"d = {d}")  # fmt: skip
        middle.plot(own["load"], own["retrieved"], ".-", color=COLOURS[k], label=f"d = {d}")
    left.plot(theory["load"], theory["overlap"], color=TRUTH, label="mean field")
    middle.axvspan(last["critical_load_low"], last["critical_load_high"], color="0.85",
                   label="crossing of the two largest")  # fmt: skip
    for axes in (left, middle):
        axes.axvline(theory["load"].max(), color=TRUTH, linewidth=0.8, linestyle=":")
    for k, ((dynamics, diagonal), label) in enumerate(LABELS.items()):
        own = curves[(curves["dynamics"] == dynamics) & (curves["diagonal"] == diagonal)]
        own = own[own["d"] == compared_size]
        right.plot(own["load"], own["mean"], color=COLOURS[k], label=label, linestyle=LINES[k])
    left.set(xlabel="load N / d", ylabel="overlap m (median draw, interval)", ylim=(0, 1.03))
    middle.set(xlabel="load N / d", ylabel="retrieved states", ylim=(0, 1.03))
    right.set(xlabel="load N / d", ylabel=f"mean overlap m, d = {compared_size}", ylim=(0, 1.03))
    for axes in (left, middle, right):
        axes.legend(loc="lower left")
    return figure
