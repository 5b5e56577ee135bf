"""execution: cells run in worker processes as they would one after the other, and end together."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import work

from pipeline.__main__ import ROOT
from pipeline.runtime.compute import job, parallel, processes, progress
from pipeline.runtime.compute.job import ExecutionError
from pipeline.runtime.compute.progress import Progress
from pipeline.runtime.formats.artifacts import ArtifactError


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(job.SCHEDULER, raising=False)
    monkeypatch.delenv(job.WORKERS, raising=False)


def test_results_stand_in_the_cells_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(job.WORKERS, "3")
    found = parallel.map_cells(work.slow_square, range(6), description="squares")
    assert found == [0, 1, 4, 9, 16, 25]


def test_no_cells_give_no_results() -> None:
    assert parallel.map_cells(work.slow_square, [], description="nothing") == []


@pytest.mark.parametrize("workers", ["1", "2", "3"])
def test_any_number_of_workers_gives_the_bits_of_none(
    monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv(job.WORKERS, workers)
    seeds = [0, 1, 2, 3]
    found = parallel.map_cells(work.train_seed, seeds, description="training")
    assert work.same_bits(found, [work.train_seed(seed) for seed in seeds])
    assert not work.same_bits(found[:1], found[1:2])


def test_a_worker_computes_with_one_thread_and_deterministically(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")  # the user's word, which would change the last bits
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    torchs, pools, deterministic = parallel.map_cells(work.threads, [0], description="threads")[0]
    assert (torchs, deterministic) == (1, True)
    assert {"blas", "openmp"} <= {kind for kind, _ in pools}
    assert {count for _, count in pools} == {1}


def test_the_first_error_is_raised_and_ends_the_other_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(job.WORKERS, "2")
    before = {process.pid for process in multiprocessing.active_children()}
    started = time.monotonic()
    with pytest.raises(ValueError, match="cell 0 cannot be computed"):
        parallel.map_cells(
            work.fail_or_wait, [(tmp_path, k) for k in range(3)], description="failing"
        )
    # Cell 1 was running, and would have for a minute; cell 2 waited, and the pool may have handed
    # it to the worker that failed.
    assert time.monotonic() - started < 30
    assert (tmp_path / "started_1").exists()
    assert list(tmp_path.glob("ended_*")) == []
    assert {process.pid for process in multiprocessing.active_children()} == before


def test_an_error_of_this_package_comes_home_whole(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"models\.safetensors: is missing; restore it: dvc "):
        parallel.map_cells(work.refuse, [tmp_path], description="refused")


def test_a_killed_worker_is_an_execution_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(job.WORKERS, "2")
    message = "O3: a worker process was killed (out of memory?); fewer workers need less"
    with pytest.raises(ExecutionError, match=re.escape(message)):
        parallel.map_cells(work.die, range(4), description="O3")


@pytest.mark.parametrize("given", ["0", "-1", "two", "1.5", "", " ", "²"])
def test_a_number_of_workers_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setenv(job.WORKERS, given)
    with pytest.raises(ExecutionError, match=f"^ATTENTION_LAB_WORKERS must be .* {given!r}$"):
        parallel.map_cells(work.slow_square, [1], description="squares")


def test_the_number_of_workers_is_that_of_the_cores_unless_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 1 <= processes.worker_count() <= (os.cpu_count() or 1)
    monkeypatch.setenv(job.WORKERS, "7")
    assert processes.worker_count() == 7


@pytest.mark.parametrize(
    ("units", "total", "unit"), [(3 * work.STEPS, 3 * work.STEPS, "steps"), (0, 3, "cells")]
)
def test_progress_arrives_by_units_or_by_cells(
    monkeypatch: pytest.MonkeyPatch, units: int, total: int, unit: str
) -> None:
    followed: list[Progress] = []
    following = progress.following

    @contextmanager
    def recorded(*work: Any) -> Iterator[Progress]:
        with following(*work) as made:
            followed.append(made)
            yield made

    monkeypatch.setattr(progress, "following", recorded)
    parallel.map_cells(work.train_seed, [0, 1, 2], description="training", units=units)
    assert [(made.total, made.done, made.unit) for made in followed] == [(total, total, unit)]


def test_a_log_shows_no_progress_bar(capfd: pytest.CaptureFixture[str]) -> None:
    parallel.map_cells(work.slow_square, [1, 2], description="squares")
    assert capfd.readouterr() == ("", "")


def test_workers_end_when_their_stage_is_killed(tmp_path: Path) -> None:
    stage = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib, work; work.wait_in_workers(pathlib.Path(sys.argv[1]))",
            str(tmp_path),
        ],
        env=os.environ | {job.WORKERS: "2", "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
    )
    assert work.until(lambda: len(list(tmp_path.glob("worker_*"))) == 2)
    workers = [int(path.name.partition("_")[2]) for path in tmp_path.iterdir()]
    assert all(work.alive(pid) for pid in workers)
    stage.send_signal(signal.SIGKILL)
    assert stage.wait() == -signal.SIGKILL
    assert work.until(lambda: not any(work.alive(pid) for pid in workers), seconds=10)
