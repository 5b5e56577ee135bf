"""The percentile bootstrap: an interval from cases drawn again with replacement (Efron 1979).

Drawing, estimating and taking the interval are three steps, because callers differ in the second:
an estimate may take all resamples at once, and two samples may be drawn in turn from one stream.
"""

import numpy as np
import torch
from jaxtyping import Float, Int

TAILS = (0.025, 0.975)  # of a 95 % interval


def resample(
    shape: tuple[int, ...], random: torch.Generator | np.random.Generator
) -> Int[np.ndarray, "*rows case"]:
    """Draw indices [*rows, case] below the number of cases, shape[-1], every row alone.

    Rows are resamples, or samples (of one resample) whose cases are not paired.
    """
    if isinstance(random, np.random.Generator):
        return random.integers(0, shape[-1], shape)
    return torch.randint(shape[-1], shape, generator=random).numpy()


def percentile_interval(estimates: Float[np.ndarray, " resample"]) -> tuple[float, float]:
    """Return the middle 95 % of the estimates, (low, high)."""
    low, high = np.quantile(estimates, TAILS)
    return float(low), float(high)
