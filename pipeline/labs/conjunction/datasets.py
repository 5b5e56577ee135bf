"""Data sets of the lab: for each seed its targets, a training set and a validation set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from scipy.stats import binom
from torch import Tensor

from pipeline.config import Section, Seeds
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.task import (
    Bits,
    Targets,
    TaskConfig,
    draw_samples,
    draw_targets,
    label,
)

Count = Annotated[int, Field(ge=1)]
TUTORIAL_TOLERANCE = {"plain": 0.1, "query": 0.05}
TUTORIAL_TRIES = 100
ROUNDING = 1e-12
LIKELY = 0.5  # a data set that fails more often than this is refused before it is drawn
TRAIN, VALID = 1, 2  # streams of a seed; 0 is for initial parameters


class DataConfig(Section):
    """Sizes of the training and validation sets, for each seed, of tasks by name."""

    seeds: Seeds
    train: Count
    valid: Count
    tasks: Annotated[Mapping[str, TaskConfig], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_be_balanced(self) -> "DataConfig":
        for name, task in self.tasks.items():
            for samples in (self.train, self.valid):
                if unbalanced(task, samples, task.tolerance, task.tries) > LIKELY:
                    raise ValueError(
                        f"tasks.{name}: no {samples} samples can be expected to be balanced within "
                        f"tolerance = {task.tolerance:g} in {task.tries} tries, since labels are 1 "
                        f"in p^s = {task.positive_fraction:.3g} of cases; p = null balances them"
                    )
        return self


@dataclass(frozen=True, kw_only=True)
class DataSets:
    """A training and a validation set for each member, and the targets behind both."""

    train: Float[Tensor, "member sample position"]
    valid: Float[Tensor, "member other position"]
    targets: Int[Tensor, "member rule target"]

    def members(self, start: int, stop: int) -> "DataSets":
        """Return the data sets of some members."""
        return DataSets(
            train=self.train[start:stop],
            valid=self.valid[start:stop],
            targets=self.targets[start:stop],
        )


def draw_data(task: TaskConfig, train: int, valid: int, seeds: Sequence[int]) -> DataSets:
    """Draw each seed's targets, then its data sets; DatasetError if one cannot be as asked."""
    streams = generators(seeds, TRAIN)
    targets = torch.stack([draw_targets(task, stream) for stream in streams])
    return DataSets(
        train=draw_samples(task, train, targets, streams),
        valid=draw_samples(task, valid, targets, generators(seeds, VALID)),
        targets=targets,
    )


def positives(bits: Bits, targets: Targets) -> Float[Tensor, " member"]:
    """Return each member's fraction of label 1."""
    return label(bits, targets).mean(-1)


def unbalanced(task: TaskConfig, samples: int, tolerance: float | None, tries: int) -> float:
    """Return the probability that none of the draws has labels as near to 1/2 as ``tolerance``.

    Exact: the number of positives is Binomial(samples, p^s).
    """
    if tolerance is None:
        return 0.0
    counts = np.arange(samples + 1)
    balanced = np.abs(counts / samples - 0.5) <= tolerance + ROUNDING
    accepted = float(binom.pmf(counts[balanced], samples, task.positive_fraction).sum())
    return (1 - min(accepted, 1.0)) ** tries


def retries_fail(task: TaskConfig, samples: int) -> float:
    """Return the probability that the tutorial's own loop finds no balanced data set of this task.

    It draws 100 times, accepts fractions of label 1 within 0.1 (plain) or 0.05 (query) of 1/2, and
    silently keeps the last draw.
    """
    return unbalanced(task, samples, TUTORIAL_TOLERANCE[task.form], TUTORIAL_TRIES)


def to_arrays(name: str, data: DataSets) -> dict[str, Tensor]:
    """Return what a file holds of a data set: bits as bytes, ``NAME_train`` and so on."""
    return {
        f"{name}_train": data.train.to(torch.uint8),
        f"{name}_valid": data.valid.to(torch.uint8),
        f"{name}_targets": data.targets,
    }


def schema(names: Sequence[str]) -> dict[str, str]:
    """Return the expected dtype and axes of a file of these data sets."""
    expected = {}
    for name in names:
        expected[f"{name}_train"] = f"uint8 seed {name}_samples {name}_positions"
        expected[f"{name}_valid"] = f"uint8 seed {name}_valid {name}_positions"
        expected[f"{name}_targets"] = f"int64 seed {name}_rules {name}_target"
    return expected


def from_arrays(name: str, arrays: Mapping[str, Tensor]) -> DataSets:
    """Undo :func:`to_arrays`."""
    return DataSets(
        train=arrays[f"{name}_train"].double(),
        valid=arrays[f"{name}_valid"].double(),
        targets=arrays[f"{name}_targets"],
    )
