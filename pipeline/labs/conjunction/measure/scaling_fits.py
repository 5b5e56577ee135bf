"""C5: how the samples needed grow with T.

Two scaling laws of two parameters are fitted: a power of T, and the logarithm of T that Edelman et
al. 2022 predict for sparse functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from pipeline.core.stats.bootstrap import percentile_interval
from pipeline.labs.conjunction.measure.sample_complexity import SampleComplexity, bracketed


@dataclass(frozen=True, kw_only=True)
class ScalingFit:
    """Two fits of two parameters each, and their residuals.

    ``exponent``: of m = c T^a, by least squares in log m; its interval is the bootstrap's.
    ``samples_per_doubling``: b of m = a + b log2 T, by least squares of the relative error. The rms
    are root mean squares of log(fitted / measured).
    """

    exponent: float
    exponent_low: float
    exponent_high: float
    power_law_rms: float
    samples_per_doubling: float
    logarithm_rms: float


def power_law(
    positions: Float[np.ndarray, " point"], samples: Float[np.ndarray, "resample point"]
) -> tuple[Float[np.ndarray, " resample"], Float[np.ndarray, " resample"]]:
    """Fit log m = log c + a log T by least squares; return the slopes a and intercepts log c."""
    x, y = np.log(positions), np.log(samples)
    centred = x - x.mean()
    slope = (y * centred).sum(1) / (centred**2).sum()
    return slope, y.mean(1) - slope * x.mean()


def logarithm(
    positions: Float[np.ndarray, " point"], samples: Float[np.ndarray, " point"]
) -> tuple[float, float]:
    """Fit m = a + b log2 T by least squares of the relative error; return (b, a)."""
    design = np.stack([np.log2(positions), np.ones(len(positions))], axis=1) / samples[:, None]
    (b, a), *_ = np.linalg.lstsq(design, np.ones(len(positions)), rcond=None)
    return float(b), float(a)


def residuals(
    positions: Float[np.ndarray, " point"], samples: Float[np.ndarray, " point"]
) -> tuple[float, float]:
    """Return the rms of log(fitted / measured) of the power law and of the logarithm."""
    [slope], [intercept] = power_law(positions, samples[None])
    b, a = logarithm(positions, samples)
    power = np.log(samples) - (intercept + slope * np.log(positions))
    # A straight line in log T through steep growth can be negative at small T: no fit there.
    line = np.maximum(a + b * np.log2(positions), 1.0)
    straight = np.log(samples) - np.log(line)
    return float(np.sqrt((power**2).mean())), float(np.sqrt((straight**2).mean()))


def exponent_interval(complexities: Sequence[SampleComplexity]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the exponent, seeds resampled at every T alone."""
    positions = np.array([each.positions for each in complexities], dtype=float)
    resampled = np.stack([each.resampled for each in complexities], axis=1)
    slopes, _ = power_law(positions, resampled)
    return percentile_interval(slopes)


def fit(complexities: Sequence[SampleComplexity]) -> ScalingFit | None:
    """Fit both laws to the samples needed where they are known; None with fewer than two points."""
    known = bracketed(complexities)
    if len(known) < 2:
        return None
    positions = np.array([each.positions for each in known], dtype=float)
    samples = np.array([each.samples for each in known])
    [slope], _ = power_law(positions, samples[None])
    low, high = exponent_interval(known)
    power_law_rms, logarithm_rms = residuals(positions, samples)
    return ScalingFit(
        exponent=float(slope),
        exponent_low=low,
        exponent_high=high,
        power_law_rms=power_law_rms,
        samples_per_doubling=logarithm(positions, samples)[0],
        logarithm_rms=logarithm_rms,
    )
