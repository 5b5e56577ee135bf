"""E4: the error of one step against separation, and where descent ends."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from pipeline.figures import style
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig

ROUNDING = 1e-16  # errors below are drawn here


def retrieval(
    config: StyleConfig,
    steps: pd.DataFrame,
    beta_delta: Float[np.ndarray, " query"],
    error: Float[np.ndarray, " query"],
    bound: Float[np.ndarray, " query"],
) -> Figure:
    """Draw every query's error under the bound, and the fraction of uphill steps by gamma."""
    broken = int((error > bound + 1e-15).sum())
    uphill = float(steps.loc[steps["gamma"] <= 2, "high"].max())
    title = (
        f"E4 Continuous retrieval: {broken} of {len(error)} queries break the bound on one step's\n"
        f"error; of steps with $\\gamma \\leq 2$ a fraction of {uphill:g} goes uphill"
    )
    figure, [[left, right]] = style.panels(config, 1, 2, title, width=1.25)
    order = np.argsort(beta_delta)
    shown = order[:: max(1, len(order) // 6000)]
    left.plot(beta_delta[shown], np.maximum(error[shown], ROUNDING), ".", markersize=1.5,
              color=COLOURS[0], alpha=0.4, label="a query's error after one step")  # fmt: skip
    left.plot(beta_delta[shown], np.maximum(bound[shown], ROUNDING), ".", markersize=1.0,
              color=COLOURS[1], label="2 (N - 1) M exp(-$\\beta\\Delta$)")  # fmt: skip
    left.set(xlabel="$\\beta\\Delta$ (separation of the query)", ylabel="|T($\\xi$) - x|",
             yscale="log", ylim=(ROUNDING / 2, 1e3))  # fmt: skip
    left.legend(markerscale=6)
    right.plot(steps["gamma"], steps["uphill"], ".-", color=COLOURS[0])
    right.fill_between(steps["gamma"], steps["low"], steps["high"], color=COLOURS[0], alpha=0.2)
    right.axvline(2, color=TRUTH, linewidth=0.8, linestyle=":")
    right.set(xlabel="step size $\\gamma$", ylabel="fraction of uphill steps", ylim=(-0.03, 1.03))
    return figure
