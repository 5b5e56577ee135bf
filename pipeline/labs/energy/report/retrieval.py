"""E4: descent by step size, and the error of one step against its bound."""

from dataclasses import dataclass

import pandas as pd

from pipeline.core.stats.intervals import Summary, median_interval, summary
from pipeline.labs.energy.measure import retrieval

# The error is computed from numbers of order 1: below this it is rounding, whatever the bound.
ROUNDING = 1e-15


@dataclass(frozen=True)
class UphillRow:
    """``uphill.csv``: the fraction of steps of size ``gamma`` that raise the energy, over seeds."""

    gamma: float
    uphill: float
    low: float
    high: float
    n: int


def results(
    config: retrieval.RetrievalConfig, descent: retrieval.Descent, queries: retrieval.OneStep
) -> dict[str, Summary]:
    """Return the difference to torch's attention, descent by gamma, the bound's violations.

    They are counted among the ``n`` queries whose bound is below the trivial one, of ``n_all``.
    """
    conditions = {"attention": summary({"difference": retrieval.attention_difference(config)})}
    for k, gamma in enumerate(config.gammas):
        conditions[f"gamma_{gamma:g}"] = summary(
            {"uphill": descent.uphill[k], "excess": descent.excess[k]}
        )
    says_something = queries.bound < queries.trivial
    error, bound = queries.retrieval_error[says_something], queries.bound[says_something]
    conditions["one_step"] = {
        "bound_violations": float((error > bound + ROUNDING).mean()) if error.size else 0.0,
        "bound_below_trivial": float(says_something.mean()),
        "n": error.size, "n_all": says_something.size,
    }  # fmt: skip
    return conditions


def uphill_table(config: retrieval.RetrievalConfig, descent: retrieval.Descent) -> pd.DataFrame:
    """Lay out :class:`UphillRow` for each gamma."""
    rows = []
    for gamma, fractions in zip(config.gammas, descent.uphill, strict=True):
        middle, low, high = median_interval(fractions)
        rows.append(UphillRow(gamma=gamma, uphill=middle, low=low, high=high, n=len(fractions)))
    return pd.DataFrame(rows)
