"""C4: a paired test of two models on the same data sets."""

from typing import Literal

from jaxtyping import Float
from scipy.stats import wilcoxon
from torch import Tensor


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
