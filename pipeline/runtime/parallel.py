"""Maps cells of work over worker processes, or over a Dask cluster.

A cell is one picklable argument of a pure, top-level function. Each worker computes with one
numeric thread, so results are the same bits whatever the number of workers. With a scheduler's
address in ``ATTENTION_LAB_SCHEDULER`` the same cells go to ``dask.distributed``, whose workers need
this package installed.
"""

import ctypes
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait as wait_for
from typing import Any, TypeVar

from tqdm import tqdm

SCHEDULER = "ATTENTION_LAB_SCHEDULER"
WORKERS = "ATTENTION_LAB_WORKERS"
POLL_SECONDS = 0.2
PATIENCE_SECONDS = 10.0  # for a scheduler to answer
# glibc's mallopt(3), and the values that keep every freed array for the next.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
NEVER_TRIM, NEVER_MMAP = 2**31 - 1, 0

Cell = TypeVar("Cell")
Result = TypeVar("Result")

_ticks: Any = None  # set in worker processes only: the queue that carries progress home


class ExecutionError(RuntimeError):
    """Cells of work could not be run; the message is one line for the user."""


def use_one_thread() -> None:
    """Compute with one numeric thread and deterministic algorithms in this process."""
    import torch

    torch.set_num_threads(1)
    # What torch.use_deterministic_algorithms sets, without its 2 s import of the compiler.
    torch.set_deterministic_debug_mode("error")
    keep_freed_memory()


def keep_freed_memory() -> bool:
    """Let this process keep the memory of freed arrays for the next ones; tell whether it will.

    glibc gives an array of more than 32 MiB back to the system when it is freed, and a training
    step that makes the same arrays again pays for every page of them again: up to half of its time.
    Another C library is left as it is (False).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; another system
        return False
    return bool(mallopt(M_MMAP_MAX, NEVER_MMAP) and mallopt(M_TRIM_THRESHOLD, NEVER_TRIM))


def worker_count() -> int:
    """Number of worker processes: the environment's word, else the cores this process may use."""
    given = os.environ.get(WORKERS)
    if given is None:
        return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    if not given.isdecimal() or int(given) < 1:
        raise ExecutionError(f"{WORKERS} must be a whole number >= 1, got {given!r}")
    return int(given)


def report(units: int = 1) -> None:
    """Tell the progress bar that a cell has finished ``units`` more of its work."""
    if _ticks is not None:
        _ticks.put(units)


def reporting(
    function: Callable[[Cell, Callable[[], None]], Result],
) -> Callable[[Cell], Result]:
    """Make a worker's function of one that calls ``on_step`` after every unit of its work."""
    return partial(_reporting, function)


def _reporting(function: Callable[[Cell, Callable[[], None]], Result], cell: Cell) -> Result:
    return function(cell, report)


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
        return _map_on_cluster(function, cells, address, description)
    return _map_on_processes(function, cells, description, units)


def progress_bar(description: str, total: int) -> "tqdm[Any]":
    """Make a bar on a terminal; elsewhere (a log) stay silent."""
    return tqdm(total=total, desc=description, disable=not sys.stderr.isatty(), leave=False)


def _map_on_processes(
    function: Callable[[Cell], Result], cells: Sequence[Cell], description: str, units: int
) -> list[Result]:
    # forkserver: no copied threads or locks of this process, and torch is imported once for all.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch", "pipeline.runtime.parallel"])
    ticks = context.SimpleQueue()
    workers = min(worker_count(), len(cells)) or 1
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(ticks,))
    futures: list[Future[Result]] = []
    try:
        futures += [pool.submit(function, cell) for cell in cells]
        _follow(futures, ticks, progress_bar(description, units or len(cells)), bool(units))
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


def _follow(futures: Iterable["Future[Any]"], ticks: Any, bar: "tqdm[Any]", by_units: bool) -> None:
    pending = set(futures)
    with bar:
        while pending:
            done, pending = wait(pending, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            moved = 0
            while not ticks.empty():
                moved += ticks.get()
            bar.update(moved if by_units else len(done))


def _start_worker(ticks: Any) -> None:
    global _ticks
    _ticks = ticks
    use_one_thread()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A worker whose stage was killed would go on computing for nobody.
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _on_cluster(function: Callable[[Cell], Result], cell: Cell) -> Result:
    use_one_thread()
    return function(cell)


def _map_on_cluster(
    function: Callable[[Cell], Result], cells: Sequence[Cell], address: str, description: str
) -> list[Result]:
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError as error:
        raise ExecutionError(
            f"{SCHEDULER}={address} needs dask.distributed: pip install 'attention-lab[cluster]'"
        ) from error
    try:
        client = Client(address, timeout=PATIENCE_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        raise ExecutionError(f"{SCHEDULER}: no scheduler answers at {address}") from error
    with client, progress_bar(description, len(cells)) as bar:
        futures = [client.submit(_on_cluster, function, cell, pure=False) for cell in cells]
        try:
            for future in as_completed(futures):
                future.result()
                bar.update(1)
            return client.gather(futures)
        except KilledWorker as error:
            raise ExecutionError(f"{description}: {SCHEDULER}: its workers were killed") from error
        finally:
            client.cancel(futures)
