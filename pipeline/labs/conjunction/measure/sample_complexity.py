"""C5: the samples that a learner needs at each T, from the accuracies of a search.

The median accuracy reaches the threshold where half of the seeds are solved, so the samples that
the median seed needs are where the solved fraction, made non-decreasing, reaches 1/2, interpolated
in log samples; those that nine seeds in ten need are where it reaches 0.9. Intervals are
percentiles of a bootstrap over seeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from scipy.optimize import isotonic_regression

from pipeline.bounds import Resamples, Seed
from pipeline.config import Section
from pipeline.core.stats.bootstrap import percentile_interval, resample

ROUNDING = 1e-12
MEDIAN, NINE_IN_TEN = 0.5, 0.9  # of the seeds


class BootstrapConfig(Section):
    """Resamples of the seeds, with replacement, and the seed of their draw."""

    resamples: Resamples
    seed: Seed


def isotonic(solved: Float[np.ndarray, "*resample size"]) -> Float[np.ndarray, "*resample size"]:
    """Return the non-decreasing fractions nearest to these in squares, all sizes of equal weight.

    More samples cannot hurt on average, so a fall is noise of the seeds.
    """
    return np.apply_along_axis(lambda curve: isotonic_regression(curve).x, -1, solved)


def crossing(
    samples: Float[np.ndarray, " size"],
    solved: Float[np.ndarray, "*resample size"],
    part: float = MEDIAN,
) -> Float[np.ndarray, "*resample"]:
    """Return where the isotonic solved fraction reaches ``part``, interpolated in log samples.

    Where it is at least that at every size the first one, where it is below at the last one nan:
    the samples needed lie beyond.
    """
    fitted = isotonic(np.asarray(solved, dtype=float))
    sizes = len(samples)
    # A mean of halves and thirds may miss 1/2 by rounding.
    last = (fitted < part - ROUNDING).sum(-1) - 1
    left = np.clip(last, 0, max(sizes - 2, 0))
    right = np.minimum(left + 1, sizes - 1)
    at_left = np.take_along_axis(fitted, left[..., None], -1)[..., 0]
    at_right = np.take_along_axis(fitted, right[..., None], -1)[..., 0]
    inside = (last >= 0) & (last < sizes - 1)
    weight = np.where(inside, part - at_left, 0.0) / np.where(inside, at_right - at_left, 1.0)
    logs = np.log(samples)
    between = np.exp(logs[left] + weight * (logs[right] - logs[left]))
    return np.where(last < 0, samples[0], np.where(last == sizes - 1, np.nan, between))


@dataclass(frozen=True, kw_only=True)
class SampleComplexity:
    """Samples needed at one T: the estimate (nan: beyond the search), and its bootstrap.

    ``censored`` is the share of resamples that need more than the search tried.
    """

    positions: int
    samples: float
    resampled: Float[np.ndarray, " resample"]
    censored: float = 0.0

    @property
    def is_bracketed(self) -> bool:
        """Whether the search went far enough to tell."""
        return bool(np.isfinite(self.samples))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % percentile interval of the bootstrap."""
        return percentile_interval(self.resampled)


def estimate(
    positions: int,
    samples: Float[np.ndarray, " size"],
    solved: Bool[np.ndarray, "size seed"],
    resamples: int,
    generator: torch.Generator,
    part: float = MEDIAN,
) -> SampleComplexity:
    """Estimate the samples needed from one curve, seeds resampled with replacement.

    A resample that needs more than the search tried counts as the largest size tried.
    """
    seeds = solved.shape[1]
    fractions = solved[:, resample((resamples, seeds), generator)].mean(-1).T
    needed = crossing(samples, fractions, part)
    return SampleComplexity(
        positions=positions,
        samples=float(crossing(samples, solved.mean(-1), part)),
        resampled=np.nan_to_num(needed, nan=samples[-1]),
        censored=float(np.isnan(needed).mean()),
    )


def sample_complexities(
    points: pd.DataFrame,
    threshold: float,
    resamples: int,
    generator: torch.Generator,
    part: float = MEDIAN,
) -> list[SampleComplexity]:
    """Estimate what a part of the seeds needs at every T of one learner's points, in T's order."""
    estimates = []
    for positions, at_t in points.groupby("positions", sort=True):
        accuracy = at_t.pivot(index="samples", columns="seed", values="accuracy").sort_index()
        samples = accuracy.index.to_numpy(dtype=float)
        solved = accuracy.to_numpy() >= threshold
        sizes = (samples, solved, resamples, generator, part)
        estimates.append(estimate(int(str(positions)), *sizes))
    return estimates


def bracketed(complexities: Sequence[SampleComplexity]) -> list[SampleComplexity]:
    """Return those whose samples the search has bracketed."""
    return [each for each in complexities if each.is_bracketed]
