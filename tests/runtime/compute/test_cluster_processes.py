"""A Dask cluster of real processes over TCP: killed, with other code, or not there at all."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import dask_processes
import pytest
import work
from dask_processes import Cluster

from pipeline.__main__ import ROOT
from pipeline.runtime.compute import cluster, job, parallel
from pipeline.runtime.compute.job import ExecutionError

SEEDS = [0, 1, 2, 3]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with dask_processes.cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def dask(shared: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A scheduler without workers."""
    monkeypatch.setenv(job.SCHEDULER, shared.address)
    yield shared
    shared.stop_workers()


def cells(folder: Path) -> list[tuple[Path, int]]:
    return [(folder, seed) for seed in SEEDS]


def running(folder: Path) -> list[int]:
    """The processes that have begun a cell, in the cells' order."""
    return [int(path.name.rpartition("_")[2]) for path in sorted(folder.glob("cell_*"))]


def when(condition: Callable[[], bool], act: Callable[[], object]) -> Thread:
    """Act in the course of the test, when something has come about."""

    def wait() -> None:
        if work.until(condition):
            act()

    thread = Thread(target=wait)
    thread.start()
    return thread


def test_a_worker_that_is_killed_midway_costs_no_bit(dask: Cluster, tmp_path: Path) -> None:
    killed = dask.start_worker()
    dask.start_worker()

    def kill() -> None:
        killed.kill()
        killed.wait()
        (tmp_path / "go").touch()

    # Both have begun a cell that they cannot end yet.
    thread = when(lambda: len(set(running(tmp_path))) == 2, kill)
    found = parallel.map_cells(work.train_when_told, cells(tmp_path), description="O3")
    thread.join()
    assert work.same_bits(found, [work.train_seed(seed) for seed in SEEDS])
    assert killed.pid in running(tmp_path)
    assert len(running(tmp_path)) > len(SEEDS)  # its cell was begun again by the other


def test_a_worker_of_several_threads_computes_the_same_bits(dask: Cluster, tmp_path: Path) -> None:
    dask.start_worker(threads=3)
    thread = when(lambda: len(running(tmp_path)) == 3, (tmp_path / "go").touch)
    found = parallel.map_cells(work.train_when_told, cells(tmp_path), description="O3")
    thread.join()
    assert len(set(running(tmp_path))) == 1  # at once, in one process
    assert work.same_bits(found, [work.train_seed(seed) for seed in SEEDS])
    told = parallel.map_cells(work.threads, range(6), description="threads")
    assert {torchs for torchs, _, _ in told} == {1}
    assert {count for _, pools, _ in told for _, count in pools} == {1}


def test_the_last_worker_s_end_is_one_line(
    dask: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "ABANDONED_SECONDS", 0.5)
    only = dask.start_worker()
    thread = when(lambda: bool(running(tmp_path)), only.kill)
    message = r"^O3: ATTENTION_LAB_SCHEDULER: its last worker has left, and no other has come for"
    with pytest.raises(ExecutionError, match=message):
        parallel.map_cells(work.train_when_told, cells(tmp_path), description="O3")
    thread.join()


def test_a_scheduler_without_workers_is_one_line(
    dask: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 1.0)
    message = rf"^ATTENTION_LAB_SCHEDULER: the scheduler at {dask.address} has no workers: start"
    with pytest.raises(ExecutionError, match=message):
        parallel.map_cells(work.slow_square, [1], description="O3")


def test_a_scheduler_that_is_killed_midway_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with dask_processes.cluster(tmp_path, workers=1) as own:
        monkeypatch.setenv(job.SCHEDULER, own.address)
        thread = when(lambda: bool(running(tmp_path)), own.scheduler.kill)
        message = rf"^O3: ATTENTION_LAB_SCHEDULER: the scheduler at {own.address} is gone$"
        with pytest.raises(ExecutionError, match=message):
            parallel.map_cells(work.train_when_told, cells(tmp_path), description="O3")
        thread.join()
    assert capfd.readouterr().err == ""  # Dask logs 30 lines


def edited(folder: Path) -> dict[str, str]:
    """The environment of a worker whose checkout has one other line of code."""
    shutil.copytree(ROOT / "pipeline", folder / "pipeline")
    with (folder / "pipeline" / "bounds.py").open("a") as file:
        file.write("\nANOTHER = 1\n")
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT / 'tests'}"}


def without_package(folder: Path) -> dict[str, str]:
    """The environment of a worker that has not this package, but another of its name."""
    (folder / "pipeline").mkdir()
    (folder / "pipeline" / "__init__.py").touch()
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT / 'tests'}"}


OTHER = [
    (edited, "has code [0-9a-f]{16} where this checkout has [0-9a-f]{16}: give it the same"),
    (
        without_package,
        r"cannot tell its code \(.*No module named 'pipeline\.runtime'.*install this checkout",
    ),
]


@pytest.mark.parametrize(("environment", "told"), OTHER)
def test_a_worker_with_other_code_is_refused(
    dask: Cluster, tmp_path: Path, environment: Callable[[Path], dict[str, str]], told: str
) -> None:
    dask.start_worker(environment=environment(tmp_path))
    with pytest.raises(ExecutionError, match=f"^ATTENTION_LAB_SCHEDULER: the worker tcp.* {told}"):
        parallel.map_cells(work.slow_square, SEEDS, description="O3")


def test_a_worker_with_other_code_that_comes_later_is_refused(
    dask: Cluster, tmp_path: Path
) -> None:
    dask.start_worker()
    other = edited(tmp_path)
    thread = when(lambda: bool(running(tmp_path)), lambda: dask.start_worker(environment=other))
    message = "^ATTENTION_LAB_SCHEDULER: a worker on .* has code .* where this checkout has"
    with pytest.raises(ExecutionError, match=message):
        parallel.map_cells(work.train_when_told, cells(tmp_path), description="O3")
    thread.join()


def test_a_worker_without_the_package_that_comes_later_costs_nothing(
    dask: Cluster, tmp_path: Path
) -> None:
    dask.start_worker()
    other = without_package(tmp_path)

    def start_and_lose() -> None:
        dask.start_worker(environment=other).wait()  # Dask ends it: it cannot read what it is sent
        (tmp_path / "go").touch()

    thread = when(lambda: bool(running(tmp_path)), start_and_lose)
    found = parallel.map_cells(work.train_when_told, cells(tmp_path), description="O3")
    thread.join()
    assert work.same_bits(found, [work.train_seed(seed) for seed in SEEDS])


def test_ctrl_c_cancels_the_cells(dask: Cluster, tmp_path: Path) -> None:
    dask.start_worker()
    code = (
        "import signal, sys, pathlib, work\n"
        # A background shell has it ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "work.wait_for_word(pathlib.Path(sys.argv[1]))"
    )
    stage = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert work.until(lambda: len(running(tmp_path)) == 1)
    stage.send_signal(signal.SIGINT)
    try:
        _, told = stage.communicate(timeout=60)
    finally:
        stage.kill()
        stage.wait()
    assert stage.returncode != 0
    assert told.rstrip().endswith("KeyboardInterrupt")
    (tmp_path / "go").touch()
    # The worker ends the cell that it has begun, and begins no other: the next is of another stage.
    assert parallel.map_cells(work.slow_square, [3], description="next") == [9]
    assert len(running(tmp_path)) == 1


def test_a_server_that_accepts_and_hangs_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 0.5)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = "tcp://{}:{}".format(*server.getsockname())
        monkeypatch.setenv(job.SCHEDULER, address)
        with pytest.raises(ExecutionError, match=f"no scheduler answers at {address}; expected"):
            parallel.map_cells(work.slow_square, [1], description="O3")
