"""C5: train a learner on more and fewer samples until its transition is bracketed, for each T.

Sample sizes stand on a geometric grid: level k is 2^(k / sizes_per_doubling) samples. At each level
every seed learns from that many samples and is *solved* if its validation accuracy reaches the
threshold. The search goes on, down and up, until few seeds are solved at its lower end and most at
its upper end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.training.sampling import grouped
from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import label
from pipeline.labs.conjunction.models import elimination, voting
from pipeline.labs.conjunction.train.curves import CurveConfig, SearchConfig, VotingCurve
from pipeline.labs.conjunction.train.early_stopping import final_accuracies
from pipeline.labs.conjunction.train.fit import AttentionFit, FitCell, FitConfig, MLPFit


@dataclass(frozen=True, kw_only=True)
class SearchCell:
    """One piece of work: the whole search of one learner at one T.

    Of the curve's ``first_samples`` it holds that of its own T, since no other changes it.
    """

    learner: str
    positions: int
    search: SearchConfig
    curve: CurveConfig

    @property
    def cost(self) -> float:
        """How long it takes, roughly: the longest searches go first."""
        fit = self.curve.training
        if fit is None:
            return 0.0
        samples = self.curve.first_samples[self.positions]
        return _nanoseconds(fit, self.positions) * fit.steps * samples * len(self.curve.seeds)


def _nanoseconds(fit: FitConfig, positions: int) -> float:
    # Of a sample in a step, as measured on one core: only the order of the searches rests on it.
    if isinstance(fit, MLPFit):
        return 24.0 * sum(fit.model.widths)
    if isinstance(fit, AttentionFit):
        return 9.0 * positions if fit.model.queries == "cls" else 3.0 * positions**2
    return 4.0 * positions


def cells(config: SearchConfig, learners: Mapping[str, CurveConfig]) -> list[SearchCell]:
    """Return the searches of all learners at all T, in their order."""
    return [
        SearchCell(
            learner=name,
            positions=positions,
            search=config,
            curve=curve.model_copy(update={"first_samples": {positions: first}}),
        )
        for name, curve in learners.items()
        for positions, first in curve.first_samples.items()
    ]


def samples_at(level: int, sizes_per_doubling: int) -> int:
    """Return a level's sample size, 2^(level / sizes_per_doubling) rounded."""
    return round(2.0 ** (level / sizes_per_doubling))


def next_levels(
    search: SearchConfig, curve: CurveConfig, positions: int, solved: Mapping[int, float]
) -> list[int]:
    """Return the levels to try next, given the solved fractions of those tried; none: finished."""
    per_doubling = curve.sizes_per_doubling
    if not solved:
        first = min(curve.first_samples[positions], curve.max_samples)
        return [round(float(np.log2(first)) * per_doubling)]
    lowest, highest = min(solved), max(solved)
    above = search.stop_above if curve.stop_above is None else curve.stop_above
    wanted = []
    if solved[lowest] > search.stop_below and lowest > 0:
        wanted.append(lowest - 1)
    if solved[highest] < above and samples_at(highest + 1, per_doubling) <= curve.max_samples:
        wanted.append(highest + 1)
    return wanted


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What each seed made of one sample size, and a statistic of its training samples.

    ``covariance`` is that of the label with the count of ones in a sequence.
    """

    accuracy: Float[Tensor, " seed"]
    covariance: Float[Tensor, " seed"]


def explore(cell: SearchCell, on_step: Callable[[], None] | None = None) -> dict[int, Learned]:
    """Search one curve at one T; return what was learned from each sample size, in their order."""
    solved: dict[int, float] = {}
    by_size: dict[int, Learned] = {}
    while levels := next_levels(cell.search, cell.curve, cell.positions, solved):
        for level in levels:
            samples = samples_at(level, cell.curve.sizes_per_doubling)
            by_size[samples] = learn(cell, samples, on_step)
            is_solved = by_size[samples].accuracy >= cell.search.threshold
            solved[level] = float(is_solved.double().mean())
    return dict(sorted(by_size.items()))


def learn(cell: SearchCell, samples: int, on_step: Callable[[], None] | None = None) -> Learned:
    """Let every seed learn from so many samples."""
    groups = grouped(cell.curve.seeds, cell.curve.members_per_cell)
    parts = [_learn(cell, samples, seeds, on_step) for seeds in groups]
    return Learned(
        accuracy=torch.cat([part.accuracy for part in parts]),
        covariance=torch.cat([part.covariance for part in parts]),
    )


def _learn(
    cell: SearchCell, samples: int, seeds: Sequence[int], on_step: Callable[[], None] | None
) -> Learned:
    task = cell.search.task(cell.positions)
    data = draw_data(task, samples, cell.search.valid, seeds)
    labels = label(data.train, data.targets)
    config = cell.curve.training
    if config is None:
        truth = label(data.valid, data.targets)
        learner = voting if isinstance(cell.curve, VotingCurve) else elimination
        accuracy = learner.accuracy(task, data.train, labels, data.valid, truth)
    else:
        work = FitCell(name="", config=config, seeds=seeds, data=data)
        accuracy = final_accuracies(work, cell.search.early_stop, on_step)
    return Learned(accuracy=accuracy, covariance=covariance(data.train.sum(-1), labels))


def covariance(
    ones: Float[Tensor, "member sample"], labels: Float[Tensor, "member sample"]
) -> Float[Tensor, " member"]:
    """Return the covariance of the count of ones with the label over each member's samples."""
    return (ones * labels).mean(-1) - ones.mean(-1) * labels.mean(-1)


@dataclass(frozen=True, kw_only=True)
class SamplePoint:
    """A row of points.csv: what one seed learned from one number of samples."""

    learner: str
    positions: int
    samples: int
    seed: int
    accuracy: float
    covariance: float


def points(
    learners: Mapping[str, CurveConfig],
    searches: Sequence[SearchCell],
    results: Sequence[Mapping[int, Learned]],
) -> pd.DataFrame:
    """Lay searches out, a :class:`SamplePoint` a row: by learner, T, sample size and seed."""
    by_curve = {
        (cell.learner, cell.positions): by_size
        for cell, by_size in zip(searches, results, strict=True)
    }
    tables = [
        pd.DataFrame(
            {
                "learner": name,
                "positions": positions,
                "samples": samples,
                "seed": list(curve.seeds),
                "accuracy": learned.accuracy.numpy(),
                "covariance": learned.covariance.numpy(),
            }
        )
        for name, curve in learners.items()
        for positions in curve.first_samples
        for samples, learned in by_curve[name, positions].items()
    ]
    return pd.concat(tables, ignore_index=True)
