"""E4: the error of one step against separation, and where descent ends."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.core.stats.intervals import Summary
from pipeline.figures import style
from pipeline.figures.energy import names
from pipeline.figures.style import COLOURS, TRUTH, StyleConfig
from pipeline.labs.energy.measure.retrieval import OneStep

MOST = 6000  # queries that are drawn, about
DESCENT_UP_TO = 2.0  # theory: no step of size gamma up to here goes uphill


def retrieval(
    config: StyleConfig, steps: pd.DataFrame, queries: OneStep, results: dict[str, Summary]
) -> Figure:
    """Draw the queries' errors under the bound, and the fraction of uphill steps by gamma."""
    one_step = results["one_step"]
    violations = round(one_step["bound_violations"] * one_step["n"])
    uphill = float(steps.loc[steps["gamma"] <= DESCENT_UP_TO, "high"].max())
    title = (
        f"E4 Continuous retrieval: {violations} of the {one_step['n']} queries with a bound below "
        f"the trivial\n2 M break it; of steps with $\\gamma \\leq$ {DESCENT_UP_TO:g} "
        f"at most a fraction of {uphill:g} goes uphill"
    )
    figure, [[left, right]] = style.panels(config, 1, 2, title, width=1.25)
    errors(left, queries)
    right.plot(steps["gamma"], steps["uphill"], ".-", color=COLOURS[0])
    right.fill_between(steps["gamma"], steps["low"], steps["high"], color=COLOURS[0], alpha=0.2)
    right.axvline(DESCENT_UP_TO, color=TRUTH, linewidth=0.8, linestyle=":")
    right.set(xlabel="step size $\\gamma$", ylabel="fraction of uphill steps", ylim=(-0.03, 1.03),
              title=f"median of {names.span(steps['n'].tolist())} seeds, interval")  # fmt: skip
    return figure


def errors(axes: Axes, queries: OneStep) -> None:
    """Draw errors and bounds against separation, every k-th query of many."""
    order = np.argsort(queries.beta_delta)
    every = max(1, len(order) // MOST)
    shown = order[::every]
    for k, (values, label) in enumerate(
        ((queries.retrieval_error, "a query's error after one step"),
         (queries.bound, "2 (N - 1) M exp(-$\\beta\\Delta$)"))
    ):  # fmt: skip
        axes.plot(queries.beta_delta[shown], np.maximum(values[shown], style.FLOOR), ".",
                  markersize=(1.5, 1.0)[k], color=COLOURS[k], alpha=(0.4, 1.0)[k],
                  label=label)  # fmt: skip
    axes.axhline(float(queries.trivial.max()), color=TRUTH, linewidth=0.8, linestyle=":",
                 label="2 M: no error can exceed it")  # fmt: skip
    axes.set(xlabel="$\\beta\\Delta$ (separation of the query)", ylabel="|T($\\xi$) - x|",
             yscale="log", ylim=(style.FLOOR / 2, 1e3),
             title=f"{len(shown)} of the queries")  # fmt: skip
    axes.legend(markerscale=6)
