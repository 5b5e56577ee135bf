"""C5: how many samples a learner needs, searched on a ladder of sample sizes for each T.

At each rung every seed learns from that many samples and is *solved* if its validation accuracy
reaches the threshold. The search goes on, down and up, until few seeds are solved at its lower end
and most at its upper end.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pipeline.config import Section, Seeds
from pipeline.core.training.sampling import grouped
from pipeline.labs.conjunction import elimination
from pipeline.labs.conjunction.datasets import draw_data
from pipeline.labs.conjunction.task import TaskConfig, label
from pipeline.labs.conjunction.training import (
    AttentionFit,
    FitCell,
    FitConfig,
    PerceptronFit,
    fit,
)

Count = Annotated[int, Field(ge=1)]


class SearchConfig(Section):
    """What counts as solved, and how far the search goes.

    It ends when at most a fraction ``low`` and at least ``high`` of the seeds are solved at its
    ends, or at the curve's ``max_samples``.
    """

    targets: Count
    threshold: Annotated[float, Field(gt=0.5, le=1)]
    valid: Count
    low: Annotated[float, Field(ge=0, lt=0.5)]
    high: Annotated[float, Field(gt=0.5, le=1)]

    def task(self, positions: int) -> TaskConfig:
        """Return the plain balanced task for T ``positions``; any draw counts, as luck does."""
        return TaskConfig(
            form="plain",
            positions=positions,
            targets=self.targets,
            p=None,
            tolerance=None,
            identified=False,
            tries=1,
        )

    def require(self, contexts: Mapping[str, Collection[int]], section: str) -> None:
        """Check that the targets fit into every T of each named curve; ValueError if not."""
        for name, sizes in contexts.items():
            if self.targets > min(sizes):
                raise ValueError(
                    f"conjunction.search.targets must be <= {min(sizes)}, the smallest T in "
                    f"{section}.{name}.contexts, got {self.targets}"
                )


class CurveConfig(Section):
    """One learner's curve.

    ``contexts`` maps each T to the sample size where its search starts: a good one saves time. No
    search goes beyond ``max_samples``.
    """

    seeds: Seeds
    members_per_cell: Count
    rungs_per_doubling: Count
    contexts: Annotated[Mapping[Count, Count], Field(min_length=2)]
    max_samples: Count


class LinearCurve(CurveConfig):
    """The curve of logistic regression."""

    fit: FitConfig


class PerceptronCurve(CurveConfig):
    """The curve of the MLP."""

    fit: PerceptronFit


class AttentionCurve(CurveConfig):
    """The curve of an attention model."""

    fit: AttentionFit


@dataclass(frozen=True, kw_only=True)
class SearchCell:
    """One piece of work: the whole search of one learner at one T.

    Without a ``fit`` the learner is elimination.
    """

    learner: str
    positions: int
    search: SearchConfig
    curve: CurveConfig
    fit: FitConfig | None

    @property
    def cost(self) -> int:
        """How many products it takes, roughly: the longest searches go first."""
        if self.fit is None:
            return 0
        width = 1
        if isinstance(self.fit, PerceptronFit):
            width = sum(self.fit.model.widths)
        elif isinstance(self.fit, AttentionFit) and self.fit.model.queries != "cls":
            width = self.positions
        samples = self.curve.contexts[self.positions]
        return width * self.fit.steps * samples * self.positions * len(self.curve.seeds)


def cells(
    config: SearchConfig, learners: Mapping[str, tuple[CurveConfig, FitConfig | None]]
) -> list[SearchCell]:
    """Return the searches of all learners at all T, the longest first."""
    found = [
        SearchCell(learner=name, positions=positions, search=config, curve=curve, fit=fit)
        for name, (curve, fit) in learners.items()
        for positions in curve.contexts
    ]
    return sorted(found, key=lambda cell: -cell.cost)


def samples_at(rung: int, rungs_per_doubling: int) -> int:
    """Return a rung's sample size, 2^(rung / rungs_per_doubling) rounded."""
    return round(2.0 ** (rung / rungs_per_doubling))


def next_rungs(
    search: SearchConfig, curve: CurveConfig, positions: int, solved: Mapping[int, float]
) -> list[int]:
    """Return the rungs to try next, given the solved fractions of those tried; none: finished."""
    per_doubling = curve.rungs_per_doubling
    if not solved:
        first = min(curve.contexts[positions], curve.max_samples)
        return [round(float(np.log2(first)) * per_doubling)]
    low, high = min(solved), max(solved)
    wanted = []
    if solved[low] > search.low and low > 0:
        wanted.append(low - 1)
    if solved[high] < search.high and samples_at(high + 1, per_doubling) <= curve.max_samples:
        wanted.append(high + 1)
    return wanted


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What each seed made of one sample size: its validation accuracy, and its samples' lean.

    The lean is the covariance of the label with the count of ones in the training samples.
    """

    accuracy: Float[Tensor, " seed"]
    lean: Float[Tensor, " seed"]


def explore(cell: SearchCell, on_step: Callable[[], None] | None = None) -> dict[int, Tried]:
    """Search one curve at one T; return what was found at each sample size, in their order."""
    solved: dict[int, float] = {}
    found: dict[int, Tried] = {}
    while rungs := next_rungs(cell.search, cell.curve, cell.positions, solved):
        for rung in rungs:
            samples = samples_at(rung, cell.curve.rungs_per_doubling)
            found[samples] = learn(cell, samples, on_step)
            reached = found[samples].accuracy >= cell.search.threshold
            solved[rung] = float(reached.double().mean())
    return dict(sorted(found.items()))


def learn(cell: SearchCell, samples: int, on_step: Callable[[], None] | None = None) -> Tried:
    """Let every seed learn from so many samples."""
    groups = grouped(cell.curve.seeds, cell.curve.members_per_cell)
    parts = [_learn(cell, samples, seeds, on_step) for seeds in groups]
    return Tried(
        accuracy=torch.cat([part.accuracy for part in parts]),
        lean=torch.cat([part.lean for part in parts]),
    )


def _learn(
    cell: SearchCell, samples: int, seeds: Sequence[int], on_step: Callable[[], None] | None
) -> Tried:
    task = cell.search.task(cell.positions)
    data = draw_data(task, samples, cell.search.valid, seeds)
    labels = label(data.train, data.targets)
    if cell.fit is None:
        truth = label(data.valid, data.targets)
        accuracy = elimination.accuracy(task, data.train, labels, data.valid, truth)
    else:
        work = FitCell(name="", config=cell.fit, seeds=seeds, data=data)
        _, history = fit(work, on_step)
        accuracy = history.values["validation_accuracy"][-1]
    return Tried(accuracy=accuracy, lean=lean(data.train.sum(-1), labels))


def lean(
    ones: Float[Tensor, "member sample"], labels: Float[Tensor, "member sample"]
) -> Float[Tensor, " member"]:
    """Return the covariance of the count of ones with the label over each member's samples."""
    return (ones * labels).mean(-1) - ones.mean(-1) * labels.mean(-1)
