"""C5: the samples needed and their growth with T, as tables and results."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from pipeline.core.stats.intervals import Summary
from pipeline.labs.conjunction.measure.sample_complexity import SampleComplexity, bracketed
from pipeline.labs.conjunction.measure.scaling_fits import ScalingFit, fit

ABLATED = "ablated_"  # before the names of the variants of the tutorial's attention


@dataclass(frozen=True, kw_only=True)
class SampleComplexityRow:
    """A row of sample_complexity.csv: the samples that a learner needs at one T, and an interval.

    A T whose samples lie beyond the search has no row.
    """

    learner: str
    positions: int
    samples: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class ScalingFitRow:
    """A row of scaling_fits.csv: a learner's two fits, empty with fewer than two points.

    ``seeds`` are behind the samples needed at each T; of the ``searched`` T the fits are of the
    ``fitted``, whose samples needed are known.
    """

    learner: str
    exponent: float | None
    exponent_low: float | None
    exponent_high: float | None
    power_law_rms: float | None
    samples_per_doubling: float | None
    logarithm_rms: float | None
    seeds: int
    searched: int
    fitted: int


def summarise(complexities: Sequence[SampleComplexity]) -> Summary:
    """Return the results of one learner: the fits, and samples_T16 ... with their intervals.

    Where the samples needed lie beyond the search, ``samples_T64_above`` is the largest size tried;
    the fits are then of the other T.
    """
    scaling = fit(complexities)
    results: Summary = {} if scaling is None else asdict(scaling)
    for each in complexities:
        if not each.is_bracketed:
            results[f"samples_T{each.positions}_above"] = float(each.resampled.max())
    for each in bracketed(complexities):
        name, (low, high) = f"samples_T{each.positions}", each.interval
        results |= {name: each.samples, f"{name}_low": low, f"{name}_high": high}
    return results


def complexity_table(by_learner: dict[str, list[SampleComplexity]]) -> pd.DataFrame:
    """Lay the samples needed out, a :class:`SampleComplexityRow` for each learner and T."""
    rows = [
        (learner, each.positions, each.samples, *each.interval)
        for learner, complexities in by_learner.items()
        for each in bracketed(complexities)
    ]
    return pd.DataFrame(rows, columns=[field.name for field in fields(SampleComplexityRow)])


def fit_table(by_learner: dict[str, list[SampleComplexity]], seeds: dict[str, int]) -> pd.DataFrame:
    """Lay the fits out, a :class:`ScalingFitRow` for each learner."""
    nothing = dict.fromkeys((field.name for field in fields(ScalingFit)), np.nan)
    rows = []
    for learner, complexities in by_learner.items():
        scaling = fit(complexities)
        rows.append(
            {"learner": learner, "seeds": seeds[learner], "searched": len(complexities)}
            | {"fitted": len(bracketed(complexities))}
            | (nothing if scaling is None else asdict(scaling))
        )
    return pd.DataFrame(rows, columns=[field.name for field in fields(ScalingFitRow)])


def by_covariance(points: pd.DataFrame, threshold: float) -> Summary:
    """Return one learner's solved fractions at its largest T, by the sign of the covariance.

    Taken over all pairs of a seed and a sample size at which some seed is solved. A uniform mean of
    the bits, which is what untrained attention gives, grows with the count of ones; if the label
    happens to fall with that count in the training sample, learning starts the wrong way.
    """
    at_largest = points[points.positions == points.positions.max()]
    solved = at_largest.accuracy >= threshold
    enough = solved.groupby(at_largest.samples).transform("any")
    results: Summary = {"positions": int(at_largest.positions.iloc[0])}
    is_positive = at_largest.covariance > 0
    for name, chosen in (("positive", is_positive), ("nonpositive", ~is_positive)):
        kept = solved[enough & chosen]
        results[f"n_{name}"] = len(kept)
        if len(kept):
            results[f"solved_{name}"] = float(kept.mean())
    return results
