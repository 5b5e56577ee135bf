"""Fractions of cases with exact intervals, and a paired test of two conditions."""

from typing import Literal

from jaxtyping import Bool, Float
from scipy.stats import binomtest, wilcoxon
from torch import Tensor

from pipeline.core.stats.intervals import CONFIDENCE, Summary


def proportion(name: str, cases: Bool[Tensor, " case"], confidence: float = CONFIDENCE) -> Summary:
    """Summarise the fraction of true cases as metrics: name, name_low, name_high, and n.

    The interval is Clopper and Pearson's (1934), exact for any number of cases.
    """
    count, n = int(cases.sum()), cases.numel()
    interval = binomtest(count, n).proportion_ci(confidence, method="exact")
    return {name: count / n, f"{name}_low": interval.low, f"{name}_high": interval.high, "n": n}


def paired_p_value(
    first: Float[Tensor, " pair"],
    second: Float[Tensor, " pair"],
    *,
    ties: Literal["split", "dropped"],
) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test; 1 if all pairs are ties.

    ``split`` ranks the pairs that tie and splits their ranks evenly between the signs, so that it
    remembers how many show no difference; ``dropped`` leaves them out, as
    Wilcoxon did (1945).
    """
    difference = first.double() - second.double()
    # Accuracies are multiples of 1 / samples: equal ones differ by rounding unless it is removed.
    rounded = difference.round(decimals=12).numpy()
    if not rounded.any():
        return 1.0
    method = "zsplit" if ties == "split" else "wilcox"
    return float(wilcoxon(rounded, zero_method=method).pvalue)
