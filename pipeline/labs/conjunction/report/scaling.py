"""C5: the samples needed and their growth with T, as tables and results."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.core.stats.bootstrap import TAILS
from pipeline.core.stats.intervals import Summary
from pipeline.labs.conjunction.measure.sample_complexity import SampleComplexity, bracketed
from pipeline.labs.conjunction.measure.scaling_fits import ScalingFit, fit, local_slopes, ratios

ABLATED = "ablated_"  # before the names of the variants of the tutorial's attention
ADDED = "added_"  # before those of what is added to the MLP
PERFECT = "perfect_"  # before the tasks of which the MLP is asked for 100 %
HEAD = "cls_head"  # the learner that others are set against
# Fixed before the run: an MLP with something added is competitive if the whole interval of its
# samples needed over the head's lies below it.
COMPETITIVE = 2.0

ENDS = ("_low", "_high")
Needed = Sequence[SampleComplexity]


@dataclass(frozen=True, kw_only=True)
class SampleComplexityRow:
    """A row of sample_complexity.csv: the samples that a learner needs at one T, and an interval.

    A T whose samples lie beyond the search has no row. ``most`` are those that nine seeds in ten
    need, with their interval; empty where they lie beyond.
    """

    learner: str
    positions: int
    samples: float
    low: float
    high: float
    most: float | None
    most_low: float | None
    most_high: float | None


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
    logarithm_lead: float | None
    logarithm_lead_low: float | None
    logarithm_lead_high: float | None
    seeds: int
    searched: int
    fitted: int


def experiment(learner: str) -> str:
    """Return the experiment that a learner belongs to."""
    return "C4" if learner.startswith((ADDED, PERFECT)) else "C5"


@dataclass(frozen=True, kw_only=True)
class SlopeRow:
    """A row of slopes.csv: a learner's local slope between two neighbouring T, and its interval."""

    learner: str
    near: int
    far: int
    slope: float
    low: float
    high: float


def slope_table(by_learner: Mapping[str, Needed]) -> pd.DataFrame:
    """Lay the local slopes of C5's main learners out, a :class:`SlopeRow` for each step of T."""
    rows = []
    for learner, complexities in by_learner.items():
        if learner.startswith((ABLATED, ADDED, PERFECT)) and learner != f"{ABLATED}tutorial":
            continue
        known, slopes = bracketed(complexities), local_slopes(complexities)
        for near, far in pairwise(each.positions for each in known):
            name = f"slope_T{near}_T{far}"
            rows.append((learner, near, far, *(slopes[name + end] for end in ("", *ENDS))))
    return pd.DataFrame(rows, columns=[field.name for field in fields(SlopeRow)])


def summarise(complexities: Needed, most: Needed) -> Summary:
    """Return the results of one learner: the fits, slopes, and samples_T16 ... with intervals.

    Where the samples needed lie beyond the search, ``samples_T64_above`` is the largest size tried;
    the fits are then of the other T. ``samples_T64_censored`` is the share of resamples beyond it,
    where there are as many as move the interval's end.
    ``most_T16`` ... are the same for nine seeds in ten, ``most_exponent`` their growth.
    """
    scaling, of_most = fit(complexities), fit(most)
    results: Summary = {} if scaling is None else asdict(scaling)
    if of_most is not None:
        ends = ("exponent", "exponent_low", "exponent_high")
        results |= {f"most_{name}": getattr(of_most, name) for name in ends}
    return (
        results
        | local_slopes(complexities)
        | by_positions("samples", complexities)
        | by_positions("most", most)
    )


def by_positions(quantity: str, complexities: Needed) -> Summary:
    """Return the samples needed at each T with their intervals, or the size they lie above."""
    results: Summary = {}
    for each in complexities:
        name, (low, high) = f"{quantity}_T{each.positions}", each.interval
        if each.is_bracketed:
            results |= {name: each.samples, f"{name}_low": low, f"{name}_high": high}
            moves_an_end = each.censored >= TAILS[0]
            results |= {f"{name}_censored": each.censored} if moves_an_end else {}
        else:
            results[f"{name}_above"] = float(each.resampled.max())
    return results


def against_the_head(by_learner: Mapping[str, Needed]) -> dict[str, Summary]:
    """Return each other learner's samples over the head's: ``LEARNER_over_cls_head.ratio_T16``.

    For what is added to the MLP ``is_competitive`` says whether the ratio's interval lies below
    COMPETITIVE at the largest T that both know.
    """
    results: dict[str, Summary] = {}
    if HEAD not in by_learner:
        return results
    for name, needed in by_learner.items():
        if name == HEAD or name.startswith((ABLATED, PERFECT)):
            continue
        of_name: Summary = dict(ratios(needed, by_learner[HEAD]))
        if name.startswith(ADDED) and of_name:
            *_, high = of_name.values()
            of_name["is_competitive"] = int(high < COMPETITIVE)
        if of_name:
            results[f"{name}_over_{HEAD}"] = of_name
    return results


def complexity_table(by_learner: Mapping[str, Needed], most: Mapping[str, Needed]) -> pd.DataFrame:
    """Lay the samples needed out, a :class:`SampleComplexityRow` for each learner and T."""
    rows = []
    for learner, complexities in by_learner.items():
        known = {each.positions: each for each in bracketed(most[learner])}
        for each in bracketed(complexities):
            other = known.get(each.positions)
            ends = (np.nan,) * 3 if other is None else (other.samples, *other.interval)
            rows.append((learner, each.positions, each.samples, *each.interval, *ends))
    return pd.DataFrame(rows, columns=[field.name for field in fields(SampleComplexityRow)])


def fit_table(by_learner: Mapping[str, Needed], seeds: Mapping[str, int]) -> pd.DataFrame:
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
