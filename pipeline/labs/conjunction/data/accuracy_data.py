"""C4's data: the task whose order is to be decided, denser ones, and those of exercise 3's text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import model_validator

from pipeline.config import Section
from pipeline.labs.conjunction.data.datasets import DataConfig, DataSets
from pipeline.labs.conjunction.data.task import TaskConfig


@dataclass(frozen=True, kw_only=True)
class TaskGroup:
    """What C4 tells of a task: which, its training samples, and its seeds."""

    about: TaskConfig
    samples: int
    seeds: Sequence[int]


class AccuracyData(Section):
    """Groups of tasks, each with numbers of samples and seeds of its own.

    ``sparse``: the tutorial's s = 2. ``dense``: its s = 4. ``text``: T = 30 with s = 3 and 15, as
    its text says; plain, since two sets of 15 do not fit beside a rule bit.
    """

    sparse: DataConfig
    dense: DataConfig
    text: DataConfig

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
        return {"sparse": self.sparse, "dense": self.dense, "text": self.text}

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
