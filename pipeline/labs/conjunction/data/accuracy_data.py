"""C4's data: the task whose order is to be decided, denser ones, and those of exercise 3's text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from pipeline.bounds import Count, Members
from pipeline.config import Section
from pipeline.labs.conjunction.data.datasets import DataConfig, DataSets
from pipeline.labs.conjunction.data.task import TaskConfig


@dataclass(frozen=True, kw_only=True)
class TaskGroup:
    """What C4 tells of a task: which, its training samples, and its seeds."""

    about: TaskConfig
    samples: int
    seeds: Sequence[int]


class CountedData(Section):
    """As :class:`DataConfig`, of the seeds 0, 1, ..., of which it holds the number."""

    seeds: Members
    train: Count
    valid: Count
    tasks: Annotated[Mapping[str, TaskConfig], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_be_drawn(self) -> "CountedData":
        try:
            DataConfig(**dict(self.config))
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from error
        return self

    @property
    def config(self) -> DataConfig:
        """The same with its seeds laid out."""
        return DataConfig.model_construct(
            seeds=tuple(range(self.seeds)), train=self.train, valid=self.valid, tasks=self.tasks
        )


class AccuracyData(Section):
    """Groups of tasks, each with numbers of samples and seeds of its own.

    ``sparse``: the tutorial's s = 2. ``dense``: its s = 4. ``text``: T = 30 with s = 3 and 15, as
    its text says; plain, since two sets of 15 do not fit beside a rule bit.
    """

    sparse: CountedData
    dense: CountedData
    text: CountedData

    @model_validator(mode="after")
    def _names_differ(self) -> "AccuracyData":
        names = [name for group in self.groups.values() for name in group.tasks]
        for name in names:
            if names.count(name) > 1:  # it names models and metrics
                raise ValueError(f"two groups have a task named {name!r}")
        return self

    @property
    def groups(self) -> dict[str, DataConfig]:
        """The groups by the name of their file."""
        named = {"sparse": self.sparse, "dense": self.dense, "text": self.text}
        return {name: counted.config for name, counted in named.items()}

    @property
    def tasks(self) -> dict[str, TaskGroup]:
        """The tasks of all groups."""
        return {
            name: TaskGroup(about=about, samples=group.train, seeds=group.seeds)
            for group in self.groups.values()
            for name, about in group.tasks.items()
        }

    def read(
        self, read: Callable[[str, DataConfig], Mapping[str, DataSets]]
    ) -> dict[str, DataSets]:
        """Return every task's data sets; ``read`` reads those of a group's file."""
        return {
            name: sets
            for file, group in self.groups.items()
            for name, sets in read(file, group).items()
        }
