"""C5: the samples needed from a searched curve, and the law of their growth with T.

The median accuracy reaches the threshold where half of the seeds are solved, so the samples needed
are where the solved fraction, made non-decreasing, reaches 1/2, interpolated in log samples.
Intervals are percentiles of a bootstrap over seeds. Two laws of two parameters are compared: a
power of T, and the logarithm of T that Edelman et al. 2022 predict for sparse functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float
from pydantic import Field

from pipeline.config import Section
from pipeline.core.stats.bootstrap import percentile_interval, resample
from pipeline.core.stats.intervals import Summary

ROUNDING = 1e-12


class ScalingConfig(Section):
    """Resamples of the bootstrap, and their seed."""

    resamples: Annotated[int, Field(ge=100)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]


def isotonic(
    solved: Float[np.ndarray, "*resample rung"],
) -> Float[np.ndarray, "*resample rung"]:
    """Return the non-decreasing fractions nearest to these in squares, all rungs of equal weight.

    More samples cannot hurt on average, so a fall is noise of the seeds. By the formula of Barlow
    et al. 1972, max over i <= k of the min over j >= k of the mean of rungs i to j.
    """
    rungs = solved.shape[-1]
    total = np.concatenate([np.zeros_like(solved[..., :1]), solved.cumsum(-1)], axis=-1)
    first, last = np.arange(rungs)[:, None], np.arange(rungs)[None]
    count = np.where(last >= first, last - first + 1, 1)
    means = (total[..., None, 1:] - total[..., :-1, None]) / count
    fitted = np.empty_like(solved, dtype=float)
    for k in range(rungs):
        fitted[..., k] = means[..., : k + 1, k:].min(-1).max(-1)
    return fitted


def crossing(
    samples: Float[np.ndarray, " rung"], solved: Float[np.ndarray, "*resample rung"]
) -> Float[np.ndarray, "*resample"]:
    """Return where the isotonic solved fraction reaches 1/2, interpolated in log samples.

    Where it is at least 1/2 at every rung the first rung's size, where it is below 1/2 at the last
    rung nan: the samples needed lie beyond.
    """
    fitted = isotonic(np.asarray(solved, dtype=float))
    rungs = len(samples)
    # A mean of halves and thirds may miss 1/2 by rounding.
    last = (fitted < 0.5 - ROUNDING).sum(-1) - 1
    left = np.clip(last, 0, max(rungs - 2, 0))
    right = np.minimum(left + 1, rungs - 1)
    at_left = np.take_along_axis(fitted, left[..., None], -1)[..., 0]
    at_right = np.take_along_axis(fitted, right[..., None], -1)[..., 0]
    inside = (last >= 0) & (last < rungs - 1)
    part = np.where(inside, 0.5 - at_left, 0.0) / np.where(inside, at_right - at_left, 1.0)
    logs = np.log(samples)
    found = np.exp(logs[left] + part * (logs[right] - logs[left]))
    return np.where(last < 0, samples[0], np.where(last == rungs - 1, np.nan, found))


@dataclass(frozen=True, kw_only=True)
class Need:
    """Samples needed at one T: the estimate (nan: beyond the search), and its bootstrap."""

    positions: int
    samples: float
    resampled: Float[np.ndarray, " resample"]

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % percentile interval of the bootstrap."""
        return percentile_interval(self.resampled)


def need(
    positions: int,
    samples: Float[np.ndarray, " rung"],
    solved: Bool[np.ndarray, "rung seed"],
    resamples: int,
    generator: torch.Generator,
) -> Need:
    """Estimate the samples needed from one curve, seeds resampled with replacement.

    A resample that needs more than the search tried counts as the largest size tried.
    """
    seeds = solved.shape[1]
    fractions = solved[:, resample((resamples, seeds), generator)].mean(-1).T
    return Need(
        positions=positions,
        samples=float(crossing(samples, solved.mean(-1))),
        resampled=np.nan_to_num(crossing(samples, fractions), nan=samples[-1]),
    )


@dataclass(frozen=True, kw_only=True)
class Fits:
    """Two laws of two parameters each, and their errors.

    ``exponent``: of m = c T^a, by least squares in log m. ``per_doubling``: samples for each
    doubling of T in m = a + b log2 T, by least squares of the relative error. The errors are root
    mean squares of log(fitted / found).
    """

    exponent: float
    power_error: float
    per_doubling: float
    logarithm_error: float


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


def compare_laws(
    positions: Float[np.ndarray, " point"], samples: Float[np.ndarray, " point"]
) -> Fits:
    """Fit both laws to the samples needed."""
    [slope], [intercept] = power_law(positions, samples[None])
    b, a = logarithm(positions, samples)
    power = np.log(samples) - (intercept + slope * np.log(positions))
    # A straight line in log T through steep growth can be negative at small T: no fit there.
    line = np.maximum(a + b * np.log2(positions), 1.0)
    straight = np.log(samples) - np.log(line)
    return Fits(
        exponent=float(slope),
        power_error=float(np.sqrt((power**2).mean())),
        per_doubling=b,
        logarithm_error=float(np.sqrt((straight**2).mean())),
    )


def exponent_interval(needs: Sequence[Need]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the exponent, seeds resampled at every T alone."""
    positions = np.array([n.positions for n in needs], dtype=float)
    slopes, _ = power_law(positions, np.stack([n.resampled for n in needs], axis=1))
    return percentile_interval(slopes)


def curve(
    points: pd.DataFrame, threshold: float, resamples: int, generator: torch.Generator
) -> list[Need]:
    """Estimate the samples needed at every T of one learner's points, in the order of T."""
    needs = []
    for positions, own in points.groupby("positions", sort=True):
        accuracy = own.pivot(index="samples", columns="seed", values="accuracy").sort_index()
        samples = accuracy.index.to_numpy(dtype=float)
        solved = accuracy.to_numpy() >= threshold
        needs.append(need(int(str(positions)), samples, solved, resamples, generator))
    return needs


def reached(needs: Sequence[Need]) -> list[Need]:
    """Return those whose samples the search has found."""
    return [n for n in needs if np.isfinite(n.samples)]


def laws(needs: Sequence[Need]) -> dict[str, float]:
    """Return both laws' parameters and errors; empty with fewer than two points."""
    found = reached(needs)
    if len(found) < 2:
        return {}
    positions = np.array([n.positions for n in found], dtype=float)
    fits = compare_laws(positions, np.array([n.samples for n in found]))
    low, high = exponent_interval(found)
    return {
        "exponent": fits.exponent,
        "exponent_low": low,
        "exponent_high": high,
        "power_error": fits.power_error,
        "per_doubling": fits.per_doubling,
        "logarithm_error": fits.logarithm_error,
    }


def summarise(needs: Sequence[Need]) -> Summary:
    """Return the metrics of one learner: the laws, and m16, m32 ... with their intervals.

    Where the samples needed lie beyond the search, ``m64_above`` is the largest size tried; the
    laws are then of the other T.
    """
    metrics: Summary = {**laws(needs)}
    for n in needs:
        if not np.isfinite(n.samples):
            metrics[f"m{n.positions}_above"] = float(n.resampled.max())
    for n in reached(needs):
        name = f"m{n.positions}"
        low, high = n.interval
        metrics |= {name: n.samples, f"{name}_low": low, f"{name}_high": high}
    return metrics


def needs_rows(needs: Sequence[Need]) -> list[dict[str, float | int]]:
    """Lay the samples needed out, a row a T."""
    return [
        {"positions": n.positions, "samples": n.samples}
        | dict(zip(("low", "high"), n.interval, strict=True))
        for n in reached(needs)
    ]


def by_lean(points: pd.DataFrame, threshold: float) -> Summary:
    """Return the solved fractions of one learner at its largest T, split by the samples' lean.

    Taken over all pairs of a seed and a sample size at which some seed is solved. A uniform mean of
    the bits, which is what untrained attention gives, grows with the count of ones; if the label
    happens to fall with that count in the training sample, learning starts the wrong way.
    """
    own = points[points.positions == points.positions.max()]
    solved = own.accuracy >= threshold
    enough = solved.groupby(own.samples).transform("any")
    found: Summary = {"positions": int(own.positions.iloc[0])}
    for name, chosen in (("up", own.lean > 0), ("down", own.lean <= 0)):
        kept = solved[enough & chosen]
        found[f"n_{name}"] = len(kept)
        if len(kept):
            found[f"solved_{name}"] = float(kept.mean())
    return found
