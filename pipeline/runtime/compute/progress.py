"""How far this process's work is: a bar on a terminal; elsewhere whoever asks is told."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tqdm import tqdm

_now: "Progress | None" = None


@dataclass
class Progress:
    """Work of ``total`` units (cells, steps), of which ``done`` are done."""

    description: str
    total: int
    unit: str
    bar: "tqdm[None]"
    done: int = 0
    started: float = field(default_factory=time.monotonic)

    def update(self, moved: int) -> None:
        """Count ``moved`` more units as done."""
        self.done += moved
        self.bar.update(moved)


@contextmanager
def following(description: str, total: int, unit: str) -> Iterator[Progress]:
    """Show work while it lasts, and let :func:`now` tell of it."""
    global _now
    bar = tqdm(total=total, desc=description, disable=not on_terminal(), leave=False)
    with bar:
        _now = Progress(description, total, unit, bar)
        try:
            yield _now
        finally:
            _now = None


def now() -> Progress | None:
    """Return the work that is under way, if any is followed."""
    return _now


def on_terminal() -> bool:
    """Return whether someone watches: a log gets lines, not a bar."""
    return sys.stderr is not None and sys.stderr.isatty()
