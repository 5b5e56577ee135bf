"""C5: how the samples needed grow with T.

Two scaling laws of two parameters are fitted: a power of T, and the logarithm of T that Edelman et
al. 2022 predict for sparse functions. Which one holds is told by the bootstrap of the *difference*
of their residuals, and whether either does by the slopes between neighbouring T.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float

from pipeline.core.stats.bootstrap import percentile_interval
from pipeline.labs.conjunction.measure.sample_complexity import SampleComplexity, bracketed

Samples = Float[np.ndarray, "resample point"]
ByResample = Float[np.ndarray, " resample"]


@dataclass(frozen=True, kw_only=True)
class ScalingFit:
    """Two fits of two parameters each, and their residuals.

    ``exponent``: of m = c T^a, by least squares in log m; its interval is the bootstrap's.
    ``samples_per_doubling``: b of m = a + b log2 T, by least squares of the relative error. The rms
    are root mean squares of log(fitted / measured). ``logarithm_lead`` is that of the power law
    minus that of the logarithm, with the bootstrap's interval: the logarithm is the better law if
    all of it is above 0, the power if all of it is below, and else neither is.
    """

    exponent: float
    exponent_low: float
    exponent_high: float
    power_law_rms: float
    samples_per_doubling: float
    logarithm_rms: float
    logarithm_lead: float
    logarithm_lead_low: float
    logarithm_lead_high: float


def power_law(
    positions: Float[np.ndarray, " point"], samples: Samples
) -> tuple[ByResample, ByResample]:
    """Fit log m = log c + a log T by least squares; return the slopes a and intercepts log c."""
    x, y = np.log(positions), np.log(samples)
    centred = x - x.mean()
    slope = (y * centred).sum(1) / (centred**2).sum()
    return slope, y.mean(1) - slope * x.mean()


def logarithm(
    positions: Float[np.ndarray, " point"], samples: Samples
) -> tuple[ByResample, ByResample]:
    """Fit m = a + b log2 T by least squares of the relative error; return the b and the a."""
    x, weight = np.log2(positions), samples**-2.0
    total = weight.sum(1, keepdims=True)
    x_mean, m_mean = ((weight * of).sum(1, keepdims=True) / total for of in (x, samples))
    centred = x - x_mean
    b = (weight * centred * (samples - m_mean)).sum(1) / (weight * centred**2).sum(1)
    return b, m_mean[:, 0] - b * x_mean[:, 0]


def residuals(
    positions: Float[np.ndarray, " point"], samples: Samples
) -> tuple[ByResample, ByResample]:
    """Return the rms of log(fitted / measured) of the power law and of the logarithm."""
    slope, intercept = power_law(positions, samples)
    b, a = logarithm(positions, samples)
    power = np.log(samples) - (intercept[:, None] + slope[:, None] * np.log(positions))
    # A straight line in log T through steep growth can be negative at small T: no fit there.
    line = np.maximum(a[:, None] + b[:, None] * np.log2(positions), 1.0)
    straight = np.log(samples) - np.log(line)
    return np.sqrt((power**2).mean(1)), np.sqrt((straight**2).mean(1))


def points(
    complexities: Sequence[SampleComplexity],
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, "1 point"], Samples]:
    """Return the T whose samples needed are known, these samples, and their resamples.

    Seeds are resampled at every T alone: each T has data of its own.
    """
    known = bracketed(complexities)
    positions = np.array([each.positions for each in known], dtype=float)
    samples = np.array([[each.samples for each in known]])
    return positions, samples, np.stack([each.resampled for each in known], axis=1)


def fit(complexities: Sequence[SampleComplexity]) -> ScalingFit | None:
    """Fit both laws to the samples needed where they are known; None with fewer than two points."""
    if len(bracketed(complexities)) < 2:
        return None
    positions, samples, resampled = points(complexities)
    [slope], _ = power_law(positions, samples)
    low, high = percentile_interval(power_law(positions, resampled)[0])
    [power_law_rms], [logarithm_rms] = residuals(positions, samples)
    by_resample = residuals(positions, resampled)
    lead_low, lead_high = percentile_interval(by_resample[0] - by_resample[1])
    return ScalingFit(
        exponent=float(slope),
        exponent_low=low,
        exponent_high=high,
        power_law_rms=float(power_law_rms),
        samples_per_doubling=float(logarithm(positions, samples)[0][0]),
        logarithm_rms=float(logarithm_rms),
        logarithm_lead=float(power_law_rms - logarithm_rms),
        logarithm_lead_low=lead_low,
        logarithm_lead_high=lead_high,
    )


def local_slopes(complexities: Sequence[SampleComplexity]) -> dict[str, float]:
    """Return d log m / d log T between neighbouring known T, and how it changes, with intervals.

    ``slope_T16_T32`` ... between two T; ``slope_change`` is the last minus the first: a power law's
    is 0, and where its interval lies above 0 one exponent averages a curve that grows steeper.
    """
    if len(bracketed(complexities)) < 2:
        return {}
    positions, samples, resampled = points(complexities)
    step = np.diff(np.log(positions))
    slopes, by_resample = (np.diff(np.log(m), axis=1) / step for m in (samples, resampled))
    results: dict[str, float] = {}
    for k, (near, far) in enumerate(pairwise(positions)):
        name = f"slope_T{near:.0f}_T{far:.0f}"
        results |= _with_interval(name, slopes[0, k], by_resample[:, k])
    if slopes.shape[1] > 1:
        change, changes = (each[:, -1] - each[:, 0] for each in (slopes, by_resample))
        results |= _with_interval("slope_change", change[0], changes)
    return results


def ratios(
    these: Sequence[SampleComplexity], those: Sequence[SampleComplexity]
) -> dict[str, float]:
    """Return these samples needed over those, ``ratio_T16`` ..., at the T where both are known.

    Intervals are the bootstrap's, both resampled independently.
    """
    other = {each.positions: each for each in bracketed(those)}
    results: dict[str, float] = {}
    for each in bracketed(these):
        if each.positions in other:
            beside = other[each.positions]
            name, value = f"ratio_T{each.positions}", each.samples / beside.samples
            # Resamples are of separate draws; reversed, none is paired with its own twin.
            results |= _with_interval(name, value, each.resampled / beside.resampled[::-1])
    return results


def _with_interval(name: str, value: float, resampled: ByResample) -> dict[str, float]:
    low, high = percentile_interval(resampled)
    return {name: float(value), f"{name}_low": low, f"{name}_high": high}
