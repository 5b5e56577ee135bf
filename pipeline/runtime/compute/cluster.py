"""Cells of work on a Dask cluster: the same bits as here, or one line that says why not."""

import asyncio
import hashlib
import logging
import platform
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

import pipeline
from pipeline.runtime.compute import device, numerics, progress
from pipeline.runtime.compute.job import SCHEDULER, ExecutionError, Job

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 10.0  # for a scheduler to answer, and for a first worker
CODE_SECONDS = 60.0  # for all workers to read their code, from a slow disk
MOST_TASKS = 1_000  # a task costs Dask about a millisecond: more cells than that share tasks
ASKING_SECONDS = 1.0  # between two questions whether there are workers
ABANDONED_SECONDS = 60.0  # for a worker to come where the last one has left
PACKAGE = Path(pipeline.__file__).resolve().parent
# What cells compute with; a worker's own versions of all else change no number.
NUMERIC = ("numpy", "pandas", "scipy", "scikit-learn", "torch")


def map_cells(job: Job, address: str, done: Callable[[int, bytes], None]) -> None:
    """Compute cells on the workers of a scheduler.

    ``done`` takes the number of a cell and its result as soon as it has come.

    Raises ExecutionError where there is no scheduler or no worker, where one leaves for good, or
    where a worker has other code than this process; and the first error of a cell.
    """
    try:
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError
    except ImportError as error:
        raise ExecutionError(
            f"{SCHEDULER} needs dask.distributed: pip install 'attention-lab[cluster]'"
        ) from error
    shown = " ".join(address.rpartition("@")[2].split())  # one line, and no password
    with _quiet(), _connected(address, shown) as client:
        try:
            _refuse_empty(client, shown)
            _refuse_other_code(client, shown)
            _compute_all(client, job, done)
        except KilledWorker as error:
            raise ExecutionError(
                f"{job.description}: {SCHEDULER}: its workers were killed (out of memory?), or "
                "cannot import this package"
            ) from error
        except (CancelledError, CommClosedError) as error:
            raise ExecutionError(
                f"{job.description}: {SCHEDULER}: the scheduler at {shown} is gone"
            ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from logging pages about what is told here in one line."""
    names = (
        "distributed",
        *(n for n in logging.root.manager.loggerDict if n[:12] == "distributed."),
    )
    before = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _connected(address: str, shown: str) -> Any:
    from distributed import Client

    refused = f"{SCHEDULER}: no scheduler answers at {shown}; expected tcp://HOST:PORT of one"
    try:
        asyncio.run(_greet(address.strip()))
        return Client(address.strip(), timeout=PATIENCE_SECONDS)
    except (OSError, ValueError, TimeoutError, MemoryError) as error:
        raise ExecutionError(refused) from error
    except TypeError as error:  # a protocol that is not set up here, such as TLS
        raise ExecutionError(f"{refused} ({' '.join(str(error).split())})") from error


async def _greet(address: str) -> None:
    """Connect once: a client would wait for ever for a server that accepts and says nothing."""
    from distributed.comm.core import connect

    async with asyncio.timeout(PATIENCE_SECONDS):
        comm = await connect(address, timeout=PATIENCE_SECONDS)
    await comm.close()


def _refuse_empty(client: Any, shown: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE_SECONDS)
    except TimeoutError as error:
        raise ExecutionError(
            f"{SCHEDULER}: the scheduler at {shown} has no workers: start some, e.g. "
            f"dask worker {shown}"
        ) from error


def _refuse_other_code(client: Any, shown: str) -> None:
    """Raise ExecutionError if a worker has not the code of this process."""
    own = code()
    try:
        answers = client.sync(client._run, code, on_error="return", callback_timeout=CODE_SECONDS)
    except TimeoutError as error:
        raise ExecutionError(f"{SCHEDULER}: a worker of {shown} does not answer") from error
    for worker, answer in answers.items():
        if isinstance(answer, dict):
            if told := difference(answer, own):
                raise ExecutionError(f"{SCHEDULER}: the worker {worker} has {told}")
        elif not isinstance(answer, OSError):  # of a worker that has just left
            raise ExecutionError(
                f"{SCHEDULER}: the worker {worker} cannot tell its code ({answer}): install this "
                "checkout there, and start it again"
            )


def _compute_all(client: Any, job: Job, done: Callable[[int, bytes], None]) -> None:
    from distributed import as_completed

    own = code()
    size = max(1, len(job.cells) // MOST_TASKS)
    parts = [job.cells[k : k + size] for k in range(0, len(job.cells), size)]
    with progress.following(job.description, len(job.cells), "cells") as shown:
        with warnings.catch_warnings(action="ignore"):  # large cells are no mistake here
            futures = client.map(partial(compute, own, job.finishing), parts, pure=False)
        first = {future.key: number * size for number, future in enumerate(futures)}
        try:
            completed, seen = as_completed(futures), time.monotonic()
            while not completed.is_empty():
                batch = completed.next_batch(block=False)
                for future, part in zip(batch, client.gather(batch), strict=True):
                    for number, result in enumerate(part, first[future.key]):
                        done(number, result)
                    shown.update(len(part))
                seen = _refuse_abandoned(client, seen, job.description)
                time.sleep(POLL_SECONDS)
        finally:
            # An error or Ctrl-C leaves nothing to compute; with the scheduler gone there is none.
            if client.status == "running":
                client.cancel(futures)


def _refuse_abandoned(client: Any, seen: float, description: str) -> float:
    """Return when a worker was last seen; raise ExecutionError if that is too long ago."""
    if time.monotonic() - seen < ASKING_SECONDS:
        return seen
    if client.status == "running" and client.scheduler_info(n_workers=-1)["workers"]:
        return time.monotonic()
    if time.monotonic() - seen > ABANDONED_SECONDS:
        raise ExecutionError(
            f"{description}: {SCHEDULER}: its last worker has left, and no other has come for "
            f"{ABANDONED_SECONDS:.0f} s"
        )
    return seen


def compute(
    expected: Mapping[str, str], function: Callable[[Any], bytes], cells: Sequence[Any]
) -> list[bytes]:
    """Compute cells at a worker, which may have come after the others were asked for their code.

    Raises ExecutionError if the worker's code is not the ``expected``.
    """
    if told := difference(code(), expected):
        raise ExecutionError(f"{SCHEDULER}: a worker on {platform.node()} has {told}")
    numerics.use_one_thread_once()  # a worker may run several tasks at once, in threads
    return [function(cell) for cell in cells]


@cache  # a worker that was started before an edit computes with what it has loaded, not the files
def code() -> dict[str, str]:
    """Return what decides a cell's numbers in this process: {name: version or hash}."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        digest.update(f"\0{path.relative_to(PACKAGE).as_posix()}\0".encode())
        digest.update(path.read_text(encoding="utf-8").encode())  # the same for any line ends
    return {
        "code": digest.hexdigest()[:16],
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: _version(name) for name in NUMERIC},
        device.DEVICE: device.asked(),
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name).partition("+")[0]  # 2.13.0+cpu is 2.13.0
    except metadata.PackageNotFoundError:
        return "none"


def difference(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Say in words what a worker has that differs from what is here, or nothing."""
    for name in here:
        if there.get(name) != here[name]:
            return (
                f"{name} {there.get(name)} where this checkout has {here[name]}: "
                "give it the same, and start it again"
            )
    return ""
