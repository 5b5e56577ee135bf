"""Numbers with their intervals: medians over seeds, means, and fractions of cases.

The quantiles come from scipy.special: scipy.stats, which wraps them, takes a second to import.
"""

import math
from collections.abc import Mapping

import pandas as pd
import torch
from jaxtyping import Bool, Float
from scipy.special import bdtr, bdtrik, stdtrit
from torch import Tensor

CONFIDENCE = 0.95
Summary = dict[str, float | int]


def median_interval(
    values: Float[Tensor, " seed"], confidence: float = CONFIDENCE
) -> tuple[float, float, float]:
    """Return the median and the order-statistic interval for it, (median, low, high).

    The interval [x_(k), x_(n+1-k)] covers the true median with probability
    1 - 2 P(Binomial(n, 1/2) < k) for any continuous distribution (Conover, *Practical Nonparametric
    Statistics*, 3.2); k is the largest that keeps ``confidence``. Below six values no k does, and
    the interval is the whole range: it covers 0.75 at n = 3 and 0.94 at n = 5.

    Raises ValueError if there are no values or one is not finite.
    """
    if values.numel() == 0 or not bool(torch.isfinite(values).all()):
        raise ValueError(f"a median needs finite values, got {values.tolist()}")
    middle, low, high = band(values, confidence)
    return float(middle), float(low), float(high)


def band(
    values: Float[Tensor, "seed *axes"], confidence: float = CONFIDENCE
) -> Float[Tensor, "3 *axes"]:
    """Return median, low and high over the seeds, as :func:`median_interval`, for every entry."""
    ordered = values.double().sort(0).values
    n = len(ordered)
    k = max(1, _binomial_quantile((1 - confidence) / 2, n))
    median = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    return torch.stack([median, ordered[k - 1], ordered[n - k]])


def _binomial_quantile(probability: float, n: int) -> int:
    """Return the least k with P(Binomial(n, 1/2) <= k) >= probability."""
    k = math.ceil(bdtrik(probability, n, 0.5))  # a root found to rounding: one too many at worst
    return k - 1 if k > 0 and bdtr(k - 1, n, 0.5) >= probability else k


def summary(quantities: Mapping[str, Float[Tensor, " seed"]]) -> Summary:
    """Summarise quantities over seeds as metrics: name, name_low, name_high, and n."""
    metrics: Summary = {}
    for name, values in quantities.items():
        middle, low, high = median_interval(values)
        metrics |= {name: middle, f"{name}_low": low, f"{name}_high": high, "n": values.numel()}
    return metrics


def table(metrics: Mapping[str, Mapping[str, Summary]]) -> pd.DataFrame:
    """Lay metrics {experiment: {condition: summary}} out, a row a quantity with its interval."""
    rows = [
        {
            "experiment": experiment,
            "condition": condition,
            "quantity": name,
            "median": found[name],
            "low": found[f"{name}_low"],
            "high": found[f"{name}_high"],
            "n": found["n"],
        }
        for experiment, conditions in metrics.items()
        for condition, found in conditions.items()
        for name in found
        if f"{name}_low" in found
    ]
    return pd.DataFrame(rows)


def mean_summary(quantities: Mapping[str, Float[Tensor, " seed"]]) -> Summary:
    """Summarise by means, for shares such as a coverage: name, name_low, name_high, and n.

    The interval is Student's for the mean. Raises ValueError for fewer than two values.
    """
    metrics: Summary = {}
    for name, values in quantities.items():
        n = values.numel()
        if n < 2:
            raise ValueError(f"an interval of the mean needs two values or more, got {n}")
        half = float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * float(values.std()) / n**0.5
        mean = float(values.mean())
        metrics |= {name: mean, f"{name}_low": mean - half, f"{name}_high": mean + half, "n": n}
    return metrics


def proportion(name: str, cases: Bool[Tensor, " case"], confidence: float = CONFIDENCE) -> Summary:
    """Summarise the fraction of true cases as metrics: name, name_low, name_high, and n.

    The interval is Clopper and Pearson's (1934), exact for any number of cases.
    """
    from scipy.stats import binomtest

    count, n = int(cases.sum()), cases.numel()
    interval = binomtest(count, n).proportion_ci(confidence, method="exact")
    return {name: count / n, f"{name}_low": interval.low, f"{name}_high": interval.high, "n": n}
