"""C5: how many samples a learner needs, searched on a ladder of sample sizes for each T.

At each rung every seed learns from that many samples and is *solved* if its validation accuracy
reaches the threshold. The search goes on, down and up, until few seeds are solved at its lower end
and most at its upper end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pipeline.config import Section, Seeds
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


class CurveConfig(Section):
    """One learner's curve.

    ``contexts`` maps each T to the sample size where its search starts: a good one saves time. No
    search goes beyond ``max_samples``.
    """

    seeds: Seeds
    members_per_cell: Count
    rungs_per_doubling: Count
    contexts: Annotated[Mapping[int, Count], Field(min_length=2)]
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


@dataclass(frozen=True)
class Rung:
    """A sample size to try: learner, T and the rung's number."""

    learner: str
    positions: int
    number: int


@dataclass(frozen=True, kw_only=True)
class SearchCell:
    """One piece of work: some seeds of one learner at one T and sample size.

    Without a ``fit`` the learner is elimination.
    """

    task: TaskConfig
    samples: int
    valid: int
    seeds: Sequence[int]
    fit: FitConfig | None

    @property
    def cost(self) -> float:
        """How long it takes, roughly, in any unit: the longest cells go first."""
        steps = self.fit.steps if self.fit else 0
        wide = 20 if isinstance(self.fit, PerceptronFit) else 1
        return wide * steps * self.samples * self.task.positions * len(self.seeds)


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


def cell(
    config: SearchConfig, curve: CurveConfig, recipe: FitConfig | None, rung: Rung, start: int
) -> SearchCell:
    """Make the piece of work of one rung that begins at the seed number ``start``."""
    return SearchCell(
        task=config.task(rung.positions),
        samples=samples_at(rung.number, curve.rungs_per_doubling),
        valid=config.valid,
        seeds=curve.seeds[start : start + curve.members_per_cell],
        fit=recipe,
    )


def learn(part: SearchCell, on_step: Callable[[], None] | None = None) -> Float[Tensor, " member"]:
    """Return the validation accuracies of a cell's seeds."""
    data = draw_data(part.task, part.samples, part.valid, part.seeds)
    if part.fit is None:
        truth = [label(bits, data.targets) for bits in (data.train, data.valid)]
        return elimination.accuracy(part.task, data.train, truth[0], data.valid, truth[1])
    work = FitCell(name="", config=part.fit, seeds=part.seeds, data=data)
    _, history = fit(work, on_step)
    return history.values["validation_accuracy"][-1]
