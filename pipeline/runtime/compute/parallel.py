"""Maps cells of work over worker processes, or over a Dask cluster.

A cell is one picklable argument of a pure, top-level function. Each worker computes with one
numeric thread, so results are the same bits whatever the number of workers. With a scheduler's
address in ``ATTENTION_LAB_SCHEDULER`` the same cells go to ``dask.distributed``, whose workers need
this package installed.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait as wait_for
from typing import Any, TypeVar

from pipeline.runtime.compute import cores, device, numerics, progress

SCHEDULER = "ATTENTION_LAB_SCHEDULER"
WORKERS = "ATTENTION_LAB_WORKERS"
POLL_SECONDS = 0.2

Cell = TypeVar("Cell")
Result = TypeVar("Result")

_ticks: Any = None  # set in worker processes only: the queue that carries progress home


class ExecutionError(RuntimeError):
    """Cells of work could not be run; the message is one line for the user."""


def worker_count(function: object = None) -> int:
    """Number of worker processes: the environment's word, else the cores this process may use.

    For a :func:`reporting` ``function`` that trains on cards: one a card, which several processes
    would only share.
    """
    given = os.environ.get(WORKERS)
    if given is None:
        trains = isinstance(function, partial) and function.func is _reporting
        on_cards = trains and device.chosen() == device.CUDA
        return len(device.cards()) if on_cards else cores.available()
    if not given.isdecimal() or int(given) < 1:
        raise ExecutionError(f"{WORKERS} must be a whole number >= 1, got {given!r}")
    return int(given)


def check_environment() -> str:
    """Return the device that cells train on, in words, before any work.

    Raises ExecutionError or DeviceError for a word in the environment that cannot be followed.
    """
    worker_count()
    if not os.environ.get(SCHEDULER):  # whose workers have the cards
        device.chosen()
    return device.described()


def report(units: int = 1) -> None:
    """Tell the progress bar that a cell has finished ``units`` more of its work."""
    if _ticks is not None:
        _ticks.put(units)


def reporting(
    function: Callable[[Cell, Callable[[], None]], Result],
) -> Callable[[Cell], Result]:
    """Make a worker's function of one that calls ``on_step`` after every unit of its work."""
    return partial(_reporting, function)


def _reporting(function: Callable[..., Result], cell: Cell) -> Result:
    return device.train(function, cell, report)


def map_cells(
    function: Callable[[Cell], Result],
    cells: Sequence[Cell],
    *,
    description: str,
    units: int = 0,
) -> list[Result]:
    """Compute ``[function(cell) for cell in cells]``, all cores busy, in the cells' order.

    ``units`` is the total that the cells will :func:`report`; 0 counts finished cells instead. The
    first error of a cell is raised here and ends the others.
    """
    address = os.environ.get(SCHEDULER)
    if address:
        from pipeline.runtime.compute import cluster

        return cluster.map_cells(function, cells, address, description)
    return _map_on_processes(function, cells, description, units)


def _map_on_processes(
    function: Callable[[Cell], Result], cells: Sequence[Cell], description: str, units: int
) -> list[Result]:
    # The workers' libraries read it when they are loaded, which is before a worker's first line.
    numerics.set_environment()
    # forkserver: no copied threads or locks of this process, and torch is imported once for all.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "pipeline.runtime.compute.parallel"])
    ticks = context.SimpleQueue()
    workers = min(worker_count(function), len(cells)) or 1
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(ticks,))
    futures: list[Future[Result]] = []
    unit = "steps" if units else "cells"
    try:
        with progress.following(description, units or len(cells), unit) as work:
            futures += [pool.submit(function, cell) for cell in cells]
            _follow(futures, ticks, work, bool(units))
        return [future.result() for future in futures]
    except BrokenProcessPool as error:
        raise ExecutionError(
            f"{description}: a worker process was killed (out of memory?); "
            f"fewer workers need less: {WORKERS}=1"
        ) from error
    finally:
        # An error or Ctrl-C must not wait for minutes of work that nobody will read.
        for process in list((pool._processes or {}).values()):
            if not all(future.done() for future in futures):
                process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


def _follow(
    futures: Iterable["Future[Any]"], ticks: Any, work: progress.Progress, by_units: bool
) -> None:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        moved = 0
        while not ticks.empty():
            moved += ticks.get()
        work.update(moved if by_units else len(done))


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
