"""E2 and E3: number of patterns against d."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, StyleConfig

CRITERIA = {
    "all_patterns": "all patterns stable in half of the draws",
    "five_percent_wrong": "at most 5 % of patterns unstable",
    "radius_eighth": "half come back from d/8 flips",
    "radius_quarter": "half come back from d/4 flips",
}


def capacity(
    config: StyleConfig, table: pd.DataFrame, metrics: dict[str, dict[str, dict[str, float]]]
) -> Figure:
    """Draw both kinds of capacity with their exponents and theories."""
    title = (
        "E2, E3 Capacity of one-step retrieval: a power of d for polynomial interactions, "
        "exponential in d for the exponential one"
    )
    figure, [[left, right]] = style.panels(config, 1, 2, title, width=1.5)
    for axes, experiment in ((left, "E2"), (right, "E3")):
        own = table[table["experiment"] == experiment]
        for k, (curve, points) in enumerate(own.groupby("curve")):
            found = metrics[experiment][str(curve)]
            slope = f"{found['exponent']:.2f} [{found['exponent_low']:.2f}, "
            slope += f"{found['exponent_high']:.2f}]"
            name = CRITERIA.get(str(curve), str(curve).replace("a", "a = ", 1))
            draw(axes, points, COLOURS[k], f"{name}: {slope}, theory {found['theory']:.2f}")
        axes.set(ylabel="number of patterns N", yscale="log")
        axes.plot([], [], color="0.4", linestyle="--", label="theory at finite d")
        axes.legend(
            title=f"exponent [interval over {int(own['n'].max())} seeds]",
            fontsize=6.5,
            loc="upper left",
            title_fontsize=7,
        )
    left.set(
        xlabel="d", xscale="log", title="F(x) = x$^a$, small one-step bit error: N ~ d$^{a-1}$"
    )
    ticks = sorted(set(table.loc[table["experiment"] == "E2", "d"]))[::2]
    left.set_xticks(ticks, [str(d) for d in ticks], minor=False)
    left.set_xticks([], minor=True)
    right.set(xlabel="d", title="F(x) = e$^x$: N ~ 2$^{exponent\\,d}$")
    for axes in (left, right):
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * (high / low) ** 0.75)
    return figure


def draw(axes: Axes, points: pd.DataFrame, colour: str, label: str) -> None:
    """Draw one curve: medians with intervals, and the theory dashed."""
    points = points.sort_values("d")
    middle, low, high = (2.0 ** points[name].to_numpy() for name in ("log2_n", "low", "high"))
    axes.errorbar(points["d"], middle, np.abs([middle - low, high - middle]), color=colour,
                  label=label, marker=".", linestyle="-", capsize=2)  # fmt: skip
    axes.plot(points["d"], 2.0 ** points["theory"], color=colour, linestyle="--", alpha=0.7)
