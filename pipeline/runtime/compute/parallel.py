"""Maps cells of work over worker processes, or over a Dask cluster.

A cell is one picklable argument of a pure, top-level function. Each worker computes with one
numeric thread, so results are the same bits whatever the number of workers. With a scheduler's
address in ``ATTENTION_LAB_SCHEDULER`` the same cells go to ``dask.distributed``, whose workers need
this package installed.
"""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import wait as wait_for
from typing import Any, TypeVar

from pipeline.runtime.compute import account, cores, device, numerics, progress
from pipeline.runtime.kept import store

SCHEDULER = "ATTENTION_LAB_SCHEDULER"
WORKERS = "ATTENTION_LAB_WORKERS"
POLL_SECONDS = 0.2
# Libraries alone: a lab's code is read when a worker starts, after the keys of its cells are told.
PRELOADED = ["torch", "pandas", "pydantic", "jaxtyping", "pipeline.runtime.compute.parallel"]

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

    Raises ExecutionError, DeviceError or StoreError for a word in the environment that cannot be
    followed.
    """
    worker_count()
    store.configured()
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

    Cells that were computed before are taken from where finished cells are kept. Of the others
    those of the largest ``cost``, where cells have one, start first. ``units`` is the total that
    the cells will :func:`report`, shared alike among them; 0 counts finished cells instead. The
    first error of a cell is raised here and ends the others. A result is made of tensors, arrays,
    models, and dataclasses of them (:mod:`pipeline.runtime.kept.encoding`).
    """
    # Here, since they import torch, which the shell does not need.
    from pipeline.runtime.kept.encoding import decode
    from pipeline.runtime.kept.finished import Finished

    finished = Finished(_computing(function), cells, device.described())
    results = finished.take()
    account.of_process.kept += len(results)
    missing = sorted(
        (place for place in range(len(cells)) if place not in results),
        key=lambda place: -getattr(cells[place], "cost", 0.0),
    )

    def done(number: int, content: bytes) -> None:
        finished.keep(missing[number], content)
        results[missing[number]] = decode(content)
        account.of_process.computed += 1

    if missing:
        units = round(units * len(missing) / len(cells))
        try:
            _execute(function, [cells[place] for place in missing], description, units, done)
        finally:
            finished.close()
    return [results[place] for place in range(len(cells))]


def _computing(function: Any) -> Any:
    """Return the function that makes the numbers, without what reports its progress."""
    wrapped = isinstance(function, partial) and function.func is _reporting
    return function.args[0] if wrapped else function


def _execute(
    function: Callable[[Cell], Any],
    cells: Sequence[Cell],
    description: str,
    units: int,
    done: Callable[[int, bytes], None],
) -> None:
    """Compute cells anywhere; ``done`` takes each result's number and bytes as it comes."""
    address = os.environ.get(SCHEDULER)
    if address:
        from pipeline.runtime.compute import cluster

        cluster.map_cells(partial(finish, function), cells, address, description, done)
    else:
        _map_on_processes(function, cells, description, units, done)


def finish(function: Callable[[Cell], Any], cell: Cell) -> bytes:
    """Compute one cell, at a worker, and return its result as bytes."""
    from pipeline.runtime.kept.encoding import encode

    return encode(function(cell))


def _timed(function: Callable[[Cell], Any], cell: Cell) -> tuple[bytes, float]:
    started = time.monotonic()
    content = finish(function, cell)
    return content, time.monotonic() - started


def start_early() -> None:
    """Start the process that workers are forked from; it imports while the stage does."""
    if not os.environ.get(SCHEDULER):
        _context()
        forkserver.ensure_running()


def _context() -> Any:
    # forkserver: no copied threads or locks of this process, and torch is imported once for all.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _map_on_processes(
    function: Callable[[Cell], Any],
    cells: Sequence[Cell],
    description: str,
    units: int,
    done: Callable[[int, bytes], None],
) -> None:
    # The workers' libraries read it when they are loaded, which is before a worker's first line.
    numerics.set_environment()
    context = _context()
    ticks = context.SimpleQueue()
    workers, started = min(worker_count(function), len(cells)), time.monotonic()
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(ticks,))
    futures: dict[Future[tuple[bytes, float]], int] = {}
    unit = "steps" if units else "cells"
    try:
        with progress.following(description, units or len(cells), unit) as work:
            futures |= {
                pool.submit(_timed, function, cell): number for number, cell in enumerate(cells)
            }
            _follow(futures, ticks, work, bool(units), done)
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
        account.of_process.worker_seconds += workers * (time.monotonic() - started)


def _follow(
    futures: Mapping["Future[tuple[bytes, float]]", int],
    ticks: Any,
    work: progress.Progress,
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
        work.update(moved if by_units else len(ended))


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
