"""What it costs to send a cell to a worker: processes of this machine and Dask, side by side.

Cells of nothing tell the overhead, cells of some milliseconds what it matters. Dask has the same
number of workers on the same machine, over TCP, so that only the way of carrying cells differs.
"""

import math
import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bench import timing
from pipeline.runtime.compute import job, parallel, processes

CELLS, REPEATS = 10_000, 3
WORK_CELLS, TERMS = 40, 200_000
MICROSECONDS = 1e6


def nothing(number: int) -> int:
    """Compute as good as nothing."""
    return number


def work(terms: int) -> float:
    """Compute for some milliseconds."""
    return math.fsum(1 / (k * k) for k in range(1, terms))


def loop(function: Callable[[int], object], cells: Sequence[int]) -> None:
    """Compute here, one cell after the other."""
    for cell in cells:
        function(cell)


def mapped(function: Callable[[int], object], cells: Sequence[int]) -> None:
    """Compute as stages do."""
    parallel.map_cells(function, cells, description="bench")


@contextmanager
def scheduler(address: str) -> Iterator[None]:
    """Let cells go to a cluster."""
    os.environ[job.SCHEDULER] = address
    try:
        yield
    finally:
        del os.environ[job.SCHEDULER]


def compare(
    function: Callable[[int], object], cells: Sequence[int], address: str
) -> dict[str, list[float]]:
    """Return the seconds of each way in each round; they run in turn, after one warm-up each."""
    seconds: dict[str, list[float]] = {"loop": [], "processes": [], "dask": []}
    for _ in range(1 + REPEATS):
        seconds["loop"].append(timing.wall_seconds(lambda: loop(function, cells)))
        seconds["processes"].append(timing.wall_seconds(lambda: mapped(function, cells)))
        with scheduler(address):
            seconds["dask"].append(timing.wall_seconds(lambda: mapped(function, cells)))
    return {way: times[1:] for way, times in seconds.items()}


def row(seconds: dict[str, list[float]], cells: int, workers: int) -> dict[str, float]:
    """Return the medians: times of all cells and of one, and what Dask takes against processes."""
    ratios = [b / a for a, b in zip(seconds["processes"], seconds["dask"], strict=True)]
    medians = {way: statistics.median(times) for way, times in seconds.items()}
    return {
        "cells": cells,
        "workers": workers,
        **{f"{way}_s": median for way, median in medians.items()},
        **{f"{way}_us_a_cell": median / cells * MICROSECONDS for way, median in medians.items()},
        "dask_over_processes": statistics.median(ratios),
        "dask_over_processes_low": min(ratios),
        "dask_over_processes_high": max(ratios),
    }


def main() -> None:
    """Measure, and write bench/results/scale_out.json."""
    from distributed import LocalCluster  # not in the worker processes, which import this file

    workers = processes.worker_count()
    with LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        rows = {}
        for name, function, cells in (
            ("start: one cell of nothing", nothing, [0]),
            ("cells of nothing", nothing, range(CELLS)),
            ("cells of some milliseconds", work, [TERMS] * WORK_CELLS),
        ):
            seconds = compare(function, cells, cluster.scheduler_address)
            rows[name] = row(seconds, len(cells), workers)
    timing.record("scale_out", rows)


if __name__ == "__main__":
    main()
