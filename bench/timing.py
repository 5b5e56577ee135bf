"""Time two ways of doing the same thing in turn, so that a drift of the machine hits both.

Both compute on one thread of this process, so times are the processor's: what other processes take
meanwhile is nobody's. Ratios are medians, each of a pair that ran one after the other.
"""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"


def seconds(function: Callable[[], object]) -> float:
    """Run once and return the processor's time."""
    start = time.process_time()
    function()
    return time.process_time() - start


def wall_seconds(function: Callable[[], object]) -> float:
    """Run once and return the wall time: of what other processes compute."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def ratio(
    ours: Callable[[], object], theirs: Callable[[], object], repeats: int = 7
) -> dict[str, float]:
    """Return how many times as long ``theirs`` takes: the median of paired ratios, and extremes.

    The two run in turn after one warm-up each; a pair's ratio is free of the machine's slow drift.
    """
    ours(), theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(repeats)]
    ratios = [b / a for a, b in pairs]
    return {
        "ratio": statistics.median(ratios),
        "ratio_low": min(ratios),
        "ratio_high": max(ratios),
        "ours_s": statistics.median(a for a, _ in pairs),
        "theirs_s": statistics.median(b for _, b in pairs),
    }


def one_thread() -> None:
    """Compare on one numeric thread, as the pipeline's workers compute."""
    torch.set_num_threads(1)


def record(name: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the rows and write them to bench/results/NAME.json."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    for row, values in rows.items():
        shown = "  ".join(
            f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in values.items()
        )
        print(f"{row:36s} {shown}")
