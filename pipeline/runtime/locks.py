"""What a stage asks of the operating system: to end with its parent, and to be alone.

DVC runs a stage as a child process and does not end it when DVC itself is killed. The orphan would
go on writing into the folder that the next run writes into.
"""

import ctypes
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PR_SET_PDEATHSIG = 1
PATIENCE_SECONDS = 10.0


class BusyError(RuntimeError):
    """Another process is making the same stage; one line for the user."""


def end_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies (Linux; elsewhere nothing)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the kernel heard us
        sys.exit(1)


@contextmanager
def exclusive_lock(lock: Path, name: str, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold an exclusive lock while the block runs.

    Raises BusyError if another process keeps it for more than ``patience`` seconds.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    file.seek(0)
                    raise BusyError(
                        f"{name} is being made by process {file.read().strip() or 'unknown'}; "
                        "wait for it or stop it"
                    ) from error
                time.sleep(0.1)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
