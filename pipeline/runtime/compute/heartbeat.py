"""Tells that a stage starts, goes on and ends: half an hour of silence looks like a hang.

The lines go to stderr, each whole and at once, so that a log can be followed while it is written
and several stages may share it. A terminal has the bar of the work instead, and the last line.
"""

import os
import sys
import threading
import time
from types import TracebackType

from pipeline.runtime.compute import account, progress

PERIOD_SECONDS = 30.0
# Before that, and while less is done, an estimate of what is left would say nothing.
LEAST_SECONDS, LEAST_PART = 20.0, 0.02


class Heartbeat:
    """Tells of one stage for as long as the ``with`` block lasts.

    ``doing`` is what the stage does where it follows no cells; it may be set meanwhile.
    """

    def __init__(self, name: str, period: float | None = None):
        self.name, self.doing = name, "computing"
        self._period = PERIOD_SECONDS if period is None else period
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._started = time.monotonic()
        if not progress.on_terminal():  # where DVC or the user has just named it
            self._say("started")
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        ending = "done in" if kind is None else "failed after"
        if kind is not None and issubclass(kind, (KeyboardInterrupt, SystemExit)):
            ending = "stopped after"
        cells = account.of_process.described()
        self._say(f"{ending} {duration(self._elapsed())}{cells and f' ({cells})'}")

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _beat(self) -> None:
        while not self._ended.wait(self._period):
            work = progress.now()
            if work is None:
                self._say(f"{self.doing}, {duration(self._elapsed())} so far")
            elif not progress.on_terminal():  # which has the bar
                self._say(f"{state(work)}, {duration(self._elapsed())} so far{estimate(work)}")

    def _say(self, text: str) -> None:
        line = f"{self.name}: {text}\n"
        try:
            sys.stderr.flush()
            # One write: the lines of stages that share a log do not mix.
            os.write(sys.stderr.fileno(), line.encode())
        except (AttributeError, OSError, ValueError):  # closed, or no file of the system
            pass


def state(work: progress.Progress) -> str:
    """Say how far followed work is."""
    return f"{work.description}: {work.done} of {work.total} {work.unit}"


def estimate(work: progress.Progress) -> str:
    """Say how long followed work will go on if it goes on as it did, where that can be said."""
    elapsed = time.monotonic() - work.started
    if elapsed < LEAST_SECONDS or work.done < LEAST_PART * work.total or not work.done:
        return ""
    return f", about {duration(elapsed * (work.total - work.done) / work.done)} left"


def duration(seconds: float) -> str:
    """Say a duration with the digits that matter."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
