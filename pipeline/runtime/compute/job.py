"""A job: a function that is mapped over cells by workers, and what is said of it meanwhile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

SCHEDULER = "ATTENTION_LAB_SCHEDULER"
WORKERS = "ATTENTION_LAB_WORKERS"

Cell = TypeVar("Cell")
Result = TypeVar("Result")


class ExecutionError(RuntimeError):
    """Cells of work could not be run; the message is one line for the user."""


@dataclass(frozen=True)
class Job:
    """Cells to compute, those that start first in front.

    ``units`` is how much of its work the function reports in all; 0 counts finished cells instead.
    """

    function: Callable[[Any], Any]
    cells: Sequence[Any]
    description: str
    units: int = 0

    @property
    def finishing(self) -> Callable[[Any], bytes]:
        """The function for a worker: it computes one cell and returns its result as bytes."""
        return partial(finish, self.function)


def finish(function: Callable[[Any], Any], cell: Any) -> bytes:
    """Compute one cell, at a worker, and return its result as bytes."""
    from pipeline.runtime.kept.encoding import encode  # here: the shell does not need torch

    return encode(function(cell))
