"""Data sets of the lab: for each seed its targets, a training set and a validation set."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, make_dataclass
from typing import Annotated

import torch
from jaxtyping import Float, Int, Int64, UInt8
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.bounds import Count, refuse_large
from pipeline.config import Section, Seeds
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.data.balance import unbalanced
from pipeline.labs.conjunction.data.task import TaskConfig, draw_samples, draw_targets

LIKELY = 0.5  # a data set that fails more often than this is refused before it is drawn
TRAIN, VALID = 1, 2  # streams of a seed; 0 is for initial parameters


class DataConfig(Section):
    """Sizes of the training and validation sets, for each seed, of tasks by name."""

    seeds: Seeds
    train: Count
    valid: Count
    tasks: Annotated[Mapping[str, TaskConfig], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "DataConfig":
        samples, seeds = self.train + self.valid, len(self.seeds)
        positions = max(task.positions for task in self.tasks.values())
        refuse_large("seeds * (train + valid) * positions", seeds, samples, positions)
        return self

    @model_validator(mode="after")
    def _names_are_identifiers(self) -> "DataConfig":
        for name in self.tasks:
            if not name.isidentifier():  # it names arrays, models and metrics
                raise ValueError(f"tasks: a name must be letters, digits and _, got {name!r}")
        return self

    @model_validator(mode="after")
    def _can_be_balanced(self) -> "DataConfig":
        for name, task in self.tasks.items():
            for samples in (self.train, self.valid):
                if unbalanced(task, samples, task.tolerance, task.max_draws) > LIKELY:
                    raise ValueError(
                        f"tasks.{name}: no {samples} samples can be expected to be balanced within "
                        f"tolerance = {task.tolerance:g} in {task.max_draws} draws, since labels "
                        f"are 1 in p^s = {task.positive_fraction:.3g} of cases; p = null balances "
                        "them"
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


def draw_all(config: DataConfig) -> dict[str, DataSets]:
    """Draw the data sets of every task; DatasetError as :func:`draw_data`."""
    return {
        name: draw_data(task, config.train, config.valid, config.seeds)
        for name, task in config.tasks.items()
    }


def file_of(tasks: Collection[str]) -> type[object]:
    """Make the record of a file of these tasks' data sets, whose tasks are known from the params.

    A task has three arrays: ``TASK_train`` and ``TASK_valid``, bits as bytes, and ``TASK_targets``.
    Seeds are the same for all tasks; each has its own numbers of samples, positions and targets.
    """
    arrays = []
    for task in tasks:
        arrays += [
            (f"{task}_train", UInt8[Tensor, f"seed {task}_samples {task}_positions"]),
            (f"{task}_valid", UInt8[Tensor, f"seed {task}_valid {task}_positions"]),
            (f"{task}_targets", Int64[Tensor, f"seed {task}_rules {task}_target"]),
        ]
    return make_dataclass("DataFile", arrays, frozen=True)


def pack(data: Mapping[str, DataSets]) -> object:
    """Return data sets by task as the record of their file."""
    arrays: dict[str, Tensor] = {}
    for task, sets in data.items():
        arrays[f"{task}_train"] = sets.train.to(torch.uint8)
        arrays[f"{task}_valid"] = sets.valid.to(torch.uint8)
        arrays[f"{task}_targets"] = sets.targets
    return file_of(data)(**arrays)


def unpack(file: object, tasks: Collection[str]) -> dict[str, DataSets]:
    """Undo :func:`pack`."""
    return {
        task: DataSets(
            train=getattr(file, f"{task}_train").double(),
            valid=getattr(file, f"{task}_valid").double(),
            targets=getattr(file, f"{task}_targets"),
        )
        for task in tasks
    }
