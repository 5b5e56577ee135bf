"""Worker processes of this machine: each computes cells with one numeric thread."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import wait as wait_for
from typing import Any

from pipeline.runtime.compute import account, cores, device, numerics, progress
from pipeline.runtime.compute.job import WORKERS, Cell, ExecutionError, Job, Result

POLL_SECONDS = 0.2
# Libraries alone: a lab's code is read when a worker starts, after the keys of its cells are told.
PRELOADED = ["torch", "pandas", "pydantic", "jaxtyping", "pipeline.runtime.compute.processes"]

_ticks: Any = None  # set in worker processes only: the queue that carries progress home


def worker_count(function: object = None) -> int:
    """Number of worker processes: the environment's word, else the cores this process may use.

    For a :func:`reporting` ``function`` that trains on cards: one a card, which several processes
    would only share.
    """
    given = os.environ.get(WORKERS)
    if given is None:
        on_cards = reported(function) is not None and device.chosen() == device.CUDA
        return len(device.cards()) if on_cards else cores.available()
    if not given.isdecimal() or int(given) < 1:
        raise ExecutionError(f"{WORKERS} must be a whole number >= 1, got {given!r}")
    return int(given)


def report(units: int = 1) -> None:
    """Tell the progress bar that a cell has finished ``units`` more of its job."""
    if _ticks is not None:
        _ticks.put(units)


def reporting(
    function: Callable[[Cell, Callable[[], None]], Result],
) -> Callable[[Cell], Result]:
    """Make a worker's function of one that calls ``on_step`` after every unit of its job."""
    return partial(_reporting, function)


def _reporting(function: Callable[..., Result], cell: Cell) -> Result:
    return device.train(function, cell, report)


def reported(function: object) -> Any:
    """Return what :func:`reporting` made its ``function`` of; None of another function."""
    if isinstance(function, partial) and function.func is _reporting:
        return function.args[0]
    return None


def start_early() -> None:
    """Start the process that workers are forked from; it imports while the stage does."""
    _context()
    forkserver.ensure_running()


def _context() -> Any:
    # forkserver: no copied threads or locks of this process, and torch is imported once for all.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def map_cells(job: Job, done: Callable[[int, bytes], None]) -> None:
    """Compute cells; ``done`` takes each one's number and result as it comes.

    Raises ExecutionError where a worker was killed, and the first error of a cell.
    """
    # The workers' libraries read it when they are loaded, which is before a worker's first line.
    numerics.set_environment()
    context = _context()
    ticks = context.SimpleQueue()
    workers, started = min(worker_count(job.function), len(job.cells)), time.monotonic()
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(ticks,))
    futures: dict[Future[tuple[bytes, float]], int] = {}
    total, unit = (job.units, "steps") if job.units else (len(job.cells), "cells")
    try:
        with progress.following(job.description, total, unit) as shown:
            futures |= {
                pool.submit(_timed, job.finishing, cell): number
                for number, cell in enumerate(job.cells)
            }
            _follow(futures, ticks, shown, bool(job.units), done)
    except BrokenProcessPool as error:
        raise ExecutionError(
            f"{job.description}: a worker process was killed (out of memory?); "
            f"fewer workers need less: {WORKERS}=1"
        ) from error
    finally:
        # An error or Ctrl-C must not wait for minutes of work that nobody will read.
        for process in list((pool._processes or {}).values()):
            if not all(future.done() for future in futures):
                process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        account.of_process.worker_seconds += workers * (time.monotonic() - started)


def _timed(finishing: Callable[[Any], bytes], cell: Any) -> tuple[bytes, float]:
    started = time.monotonic()
    content = finishing(cell)
    return content, time.monotonic() - started


def _follow(
    futures: Mapping["Future[tuple[bytes, float]]", int],
    ticks: Any,
    shown: progress.Progress,
    by_units: bool,
    done: Callable[[int, bytes], None],
) -> None:
    pending = set(futures)
    while pending:
        ended, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_EXCEPTION)
        # What is finished is kept before an error of another ends it all.
        for future in sorted(ended, key=lambda future: future.exception() is not None):
            content, seconds = future.result()
            account.of_process.busy_seconds += seconds
            done(futures[future], content)
        moved = 0
        while not ticks.empty():
            moved += ticks.get()
        shown.update(moved if by_units else len(ended))


def _start_worker(ticks: Any) -> None:
    global _ticks
    _ticks = ticks
    numerics.use_one_thread()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A worker whose stage was killed would go on computing for nobody.
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)
