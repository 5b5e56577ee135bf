"""execution: the same cells on a Dask cluster give the same bits and the same kinds of errors."""

from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
import work
from distributed import LocalCluster

from pipeline.runtime import cluster, parallel
from pipeline.runtime.parallel import ExecutionError
from runtime.test_parallel import same_bits


@pytest.fixture(scope="module")
def local() -> Iterator[LocalCluster]:
    # One lost worker is enough: by default a cell would have to kill four of them.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as started,
    ):
        yield started


@pytest.fixture
def _on_cluster(local: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(parallel.SCHEDULER, local.scheduler_address)


@pytest.mark.usefixtures("_on_cluster")
def test_a_cluster_gives_the_bits_of_this_process_in_the_cells_order() -> None:
    seeds = [0, 1, 2, 3]
    found = parallel.map_cells(work.train_seed, seeds, description="training")
    assert same_bits(found, [work.train_seed(seed) for seed in seeds])
    assert parallel.map_cells(work.slow_square, range(4), description="squares") == [0, 1, 4, 9]
    torchs, pools, deterministic = parallel.map_cells(work.threads, [0], description="threads")[0]
    assert (torchs, {count for _, count in pools}, deterministic) == (1, {1}, True)


@pytest.mark.usefixtures("_on_cluster")
def test_the_first_error_of_a_cell_comes_home(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cell 0 cannot be computed"):
        parallel.map_cells(
            work.fail_or_wait, [(tmp_path, k) for k in range(2)], description="failing"
        )
    assert list(tmp_path.glob("ended_*")) == []


@pytest.mark.usefixtures("_on_cluster")
def test_a_killed_worker_of_a_cluster_is_an_execution_error() -> None:
    with pytest.raises(ExecutionError, match=r"^O3: ATTENTION_LAB_SCHEDULER: its workers were"):
        parallel.map_cells(work.die, [0], description="O3")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://a", "127.0.0.1:0"])
def test_no_scheduler_at_the_address_is_an_execution_error(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setenv(parallel.SCHEDULER, address)
    with pytest.raises(ExecutionError, match=f"^{parallel.SCHEDULER}: .*{address}$"):
        parallel.map_cells(work.slow_square, [1], description="squares")
