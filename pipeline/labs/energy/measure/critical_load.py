"""E1: the critical load, where the curves of two sizes cross, with a bootstrap interval."""

import numpy as np
from numpy.typing import NDArray

from pipeline.core.stats.bootstrap import percentile_interval, resample
from pipeline.labs.energy.measure.overlaps import ClassicalConfig


def crossing(
    loads: NDArray[np.float64],
    smaller: NDArray[np.float64],
    larger: NDArray[np.float64],
    states: int,
) -> float:
    """Return the load at which two sizes retrieve the same fraction of their states.

    ``smaller`` and ``larger`` are [load, draw]. Below the critical load a larger network retrieves
    more, above it less, so the curves cross at it up to a correction that shrinks with d. Each
    curve is a line in log-odds (half a state added on both sides), fitted with binomial weights.
    """
    slopes, levels = [], []
    for fractions in (smaller, larger):
        count = fractions.shape[1] * states
        success = fractions.mean(1) * count
        odds = np.log((success + 0.5) / (count - success + 0.5))
        weight = np.sqrt((success + 0.5) * (count - success + 0.5) / (count + 1))
        slope, level = np.polyfit(loads, odds, 1, w=weight)
        slopes.append(slope)
        levels.append(level)
    return float((levels[1] - levels[0]) / (slopes[0] - slopes[1]))


def crossing_interval(
    loads: NDArray[np.float64],
    smaller: NDArray[np.float64],
    larger: NDArray[np.float64],
    config: ClassicalConfig,
) -> tuple[float, float, float]:
    """Return the crossing and its 95 % percentile interval over resampled draws.

    The draws of a load are independent of those of another, and are resampled on their own.
    """
    random = np.random.Generator(np.random.PCG64(config.seed))

    def resampled(fractions: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.take_along_axis(fractions, resample(fractions.shape, random), axis=1)

    estimates = [
        crossing(loads, resampled(smaller), resampled(larger), config.states)
        for _ in range(config.bootstrap)
    ]
    middle = crossing(loads, smaller, larger, config.states)
    return middle, *percentile_interval(np.array(estimates))
