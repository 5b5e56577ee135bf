"""The energy lab's two kernels, retrieval and asynchronous updates, against plain code."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch

from bench import timing
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data.patterns import random_spins
from pipeline.labs.energy.models import classical, continuous

QUERIES, PATTERNS, D, BETA, CHUNK = 100_000, 10_000, 64, 8.0, 256
LOOP_QUERIES = 2_000  # a loop over all would take minutes; its time is a straight line
KILOBYTES = 1024.0  # in a megabyte


def retrieval_inputs(queries: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return patterns on the sphere and noisy queries, float32."""
    stream = generators([0])[0]
    patterns = torch.nn.functional.normalize(torch.randn(PATTERNS, D, generator=stream), dim=1)
    index = torch.randint(PATTERNS, (queries,), generator=stream)
    return patterns, patterns[index] + 0.05 * torch.randn(queries, D, generator=stream)


def ours(patterns: torch.Tensor, queries: torch.Tensor) -> torch.Tensor:
    """Retrieve with the lab's kernel, torch's fused attention."""
    return continuous.retrieve(queries, patterns, BETA)


def in_chunks(patterns: torch.Tensor, queries: torch.Tensor) -> torch.Tensor:
    """Retrieve by the definition, for so many queries at a time that their weights stay small."""
    result = torch.empty_like(queries)
    for part, out in zip(queries.split(CHUNK), result.split(CHUNK), strict=True):
        torch.mm((BETA * part @ patterns.T).softmax(-1), patterns, out=out)
    return result


def one_by_one(patterns: torch.Tensor, queries: torch.Tensor) -> torch.Tensor:
    """Retrieve query after query."""
    return torch.stack([(BETA * patterns @ q).softmax(0) @ patterns for q in queries])


def peak(function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> float:
    """Return how many megabytes the process grows by during one retrieval of all queries."""
    timing.one_thread()
    inputs = retrieval_inputs(QUERIES)
    function(inputs[0], inputs[1][:CHUNK])  # libraries set up their own buffers once
    # Linux: forget the peak so far (ru_maxrss would keep that of the parent process).
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = status("VmRSS")
    function(*inputs)
    return (status("VmHWM") - before) / KILOBYTES


def status(name: str) -> float:
    """Return one of this process's memory sizes in kilobytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))


def in_fresh_process(function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> float:
    """Measure the peak where nothing else has raised it."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(peak, function).result()


def spin_by_spin(
    states: torch.Tensor, W: torch.Tensor, order: torch.Tensor
) -> tuple[torch.Tensor, int]:
    """Update each state in a plain loop over its spins; return the states and the visits."""
    visits, result = 0, states.clone()
    for state, rank in zip(result[0], order[0], strict=True):
        turn = rank.argsort().tolist()
        flipped = True
        while flipped:
            flipped = False
            for i in turn:
                visits += 1
                if (W[0, i] @ state) * state[i] < 0:
                    state[i] = -state[i]
                    flipped = True
    return result, visits


def asynchronous() -> dict[str, float]:
    """Update 16 states of 500 spins near the critical load both ways."""
    streams = generators([0])
    patterns = random_spins(70, 500, streams)
    W, start = classical.weights(patterns, diagonal=False), patterns[:, :16]
    order = torch.rand(start.shape, generator=streams[0])
    expected, visits = spin_by_spin(start, W, order)
    final = classical.converge_asynchronous(start, W, order, 50_000)
    assert torch.equal(final.states, expected)
    row = timing.ratio(
        lambda: classical.converge_asynchronous(start, W, order, 50_000),
        lambda: spin_by_spin(start, W, order),
        repeats=3,
    )
    rates = {"ours_updates_per_s": visits / row["ours_s"],
             "theirs_updates_per_s": visits / row["theirs_s"]}  # fmt: skip
    return row | rates


def main() -> None:
    """Compare times side by side, and peaks in processes of their own."""
    timing.one_thread()
    rows = {"asynchronous, against a loop": asynchronous()}
    patterns, queries = retrieval_inputs(QUERIES)
    difference = (ours(patterns, queries) - in_chunks(patterns, queries)).abs().max()
    row = timing.ratio(
        lambda: ours(patterns, queries), lambda: in_chunks(patterns, queries), repeats=3
    )
    our_mb, their_mb = in_fresh_process(ours), in_fresh_process(in_chunks)
    row |= {"ours_mb": our_mb, "theirs_mb": their_mb, "peak_ratio": their_mb / our_mb,
            "greatest_difference": float(difference)}  # fmt: skip
    rows["retrieval, against the definition in chunks"] = row
    few = queries[:LOOP_QUERIES]
    rows[f"{LOOP_QUERIES} queries, against a loop"] = timing.ratio(
        lambda: ours(patterns, few), lambda: one_by_one(patterns, few), repeats=3
    )
    timing.record("energy", rows)


if __name__ == "__main__":
    main()
