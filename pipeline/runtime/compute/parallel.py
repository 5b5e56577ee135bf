"""Maps cells of work over worker processes, or over a Dask cluster.

A cell is one picklable argument of a pure, top-level function. Each worker computes with one
numeric thread, so results are the same bits whatever the number of workers. With a scheduler's
address in ``ATTENTION_LAB_SCHEDULER`` the same cells go to ``dask.distributed``, whose workers need
this package installed.
"""

import os
from collections.abc import Callable, Sequence

from pipeline.runtime.compute import account, device, processes
from pipeline.runtime.compute.job import SCHEDULER, Cell, Job, Result
from pipeline.runtime.kept import store


def check_environment() -> str:
    """Return the device that cells train on, in words, before any job.

    Raises ExecutionError, DeviceError or StoreError for a word in the environment that cannot be
    followed.
    """
    processes.worker_count()
    store.configured()
    if not os.environ.get(SCHEDULER):  # whose workers have the cards
        device.chosen()
    return device.described()


def start_early() -> None:
    """Start what workers are forked from, where they are this machine's."""
    if not os.environ.get(SCHEDULER):
        processes.start_early()


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
    the cells will report, shared alike among them; 0 counts finished cells instead. The first error
    of a cell is raised here and ends the others. A result is made of tensors, arrays, models, and
    dataclasses of them (:mod:`pipeline.runtime.kept.encoding`).
    """
    # Here, since they import torch, which the shell does not need.
    from pipeline.runtime.kept.encoding import decode
    from pipeline.runtime.kept.finished import Finished

    finished = Finished(processes.reported(function) or function, cells, device.described())
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
        share = round(units * len(missing) / len(cells))
        try:
            _execute(Job(function, [cells[place] for place in missing], description, share), done)
        finally:
            finished.close()
    return [results[place] for place in range(len(cells))]


def _execute(job: Job, done: Callable[[int, bytes], None]) -> None:
    """Compute cells anywhere; ``done`` takes each result's number and bytes as it comes."""
    address = os.environ.get(SCHEDULER)
    if address:
        from pipeline.runtime.compute import cluster

        cluster.map_cells(job, address, done)
    else:
        processes.map_cells(job, done)
