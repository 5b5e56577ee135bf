"""A process beside the stage: it imports MLflow while the stage computes, and then logs it.

In a thread of the stage's own process the import would take turns with the stage's imports, which
is slower than one after the other, and what hangs could not be ended. The two speak in lines of
JSON: the stage sends one request; the process answers with how many seconds its next step may take
(none: as many as the last), again and again, and at last with how it ended. ``python -m
pipeline.tracking.process ROOT`` is the other end.
"""

import gc
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from pipeline.runtime import locks
from pipeline.runtime.provenance import Execution
from pipeline.tracking.circumstances import Timing, commit_tags
from pipeline.tracking.record import import_mlflow, record
from pipeline.tracking.server.secrets import TrackingError, one_line
from pipeline.tracking.store import configure_env, settle, warm_up

IMPORT_SECONDS = 60.0  # of a slow disk; and the store's creation
GRACE_SECONDS = 2.0  # the process itself gives up first, and says why
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class TrackingProcess:
    """The stage's end. Leaving the ``with`` block ends the process, whatever it was doing."""

    def __init__(self, root: Path) -> None:
        """Start the process; a failure to start is told by :meth:`record`."""
        configure_env()
        self.root = root
        module = ["-m", "pipeline.tracking.process", str(root.resolve())]
        self.child: subprocess.Popen[bytes] | None = None
        with suppress(OSError):
            self.child = subprocess.Popen(
                [sys.executable, "-W", "ignore", *module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,  # so that select sees every line that was not read
                cwd=PACKAGE_ROOT,  # this checkout's package, whichever one is installed
            )

    def __enter__(self) -> "TrackingProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.child is None:
            return
        self.child.kill()
        self.child.wait()
        settle(self.root)  # whatever it was writing
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                pipe.close()

    def record(self, execution: Execution, timing: Timing) -> None:
        """Log an execution; TrackingError if that fails or hangs.

        What fails leaves no visible run. What hangs may: ``track`` hides it and logs it again.
        """
        request = {"execution": asdict(execution), "timing": asdict(timing)}
        try:
            self._send(request)
            seconds = IMPORT_SECONDS
            while "done" not in (answer := self._answer(seconds)):
                if "error" in answer:
                    raise TrackingError(answer["error"])
                seconds = answer["seconds"] or seconds
        except OSError as error:
            raise TrackingError(f"the process that logs it ended ({error})") from error

    def _send(self, request: Mapping[str, Any]) -> None:
        if self.child is None or self.child.stdin is None:
            raise TrackingError("the process that logs it could not be started")
        self.child.stdin.write(json.dumps(request).encode() + b"\n")
        self.child.stdin.close()

    def _answer(self, seconds: float) -> Mapping[str, Any]:
        assert self.child is not None
        assert self.child.stdout is not None
        if not select.select([self.child.stdout], [], [], seconds + GRACE_SECONDS)[0]:
            raise TrackingError(f"the process that logs it gave no sign for {seconds:.0f} s")
        line = self.child.stdout.readline()
        if not line:
            raise TrackingError(f"the process that logs it ended (exit code {self.child.wait()})")
        answer: Mapping[str, Any] = json.loads(line)
        return answer


def main(root: Path) -> None:
    """Serve one request from stdin; end without one."""
    locks.end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the stage, which ends this
    # Between two statements: a stage that dies leaves no store in the midst of being written.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(1))
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what MLflow may print is no answer

    def tell(**answer: Any) -> None:
        answers.write(json.dumps(answer) + "\n")

    gc.disable()  # its rounds among MLflow's many objects take a fifth of the import's time
    commit = commit_tags(root)  # before the stage ends: the user may edit while it runs
    with suppress(Exception):  # record() meets the same error
        _warm_up(root)
    gc.freeze()
    gc.enable()
    line = sys.stdin.readline()
    if not line:
        return
    request = json.loads(line)
    try:
        record(
            root,
            Execution(**request["execution"]),
            Timing(**request["timing"]),
            commit,
            lambda seconds: tell(seconds=seconds),
        )
    except Exception as error:
        tell(error=one_line(error))
    else:
        tell(done=True)


def _warm_up(root: Path) -> None:
    """Do what needs no result: import MLflow, create the store, open it once."""
    import_mlflow()
    warm_up(root)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    os._exit(0)  # nothing is left to tidy up, which Python would do for a while
