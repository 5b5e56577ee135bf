"""execution: the same cells on a Dask cluster give the same bits and the same kinds of errors."""

from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
import work
from distributed import LocalCluster

from pipeline.__main__ import ROOT
from pipeline.runtime import fingerprint
from pipeline.runtime.compute import cluster, job, parallel
from pipeline.runtime.compute.job import ExecutionError


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
    monkeypatch.setenv(job.SCHEDULER, local.scheduler_address)


@pytest.mark.usefixtures("_on_cluster")
def test_a_cluster_gives_the_bits_of_this_process_in_the_cells_order() -> None:
    seeds = [0, 1, 2, 3]
    found = parallel.map_cells(work.train_seed, seeds, description="training")
    assert work.same_bits(found, [work.train_seed(seed) for seed in seeds])
    assert parallel.map_cells(work.slow_square, range(4), description="squares") == [0, 1, 4, 9]
    torchs, pools, deterministic = parallel.map_cells(work.threads, [0], description="threads")[0]
    assert (torchs, {count for _, count in pools}, deterministic) == (1, {1}, True)


@pytest.mark.usefixtures("_on_cluster")
def test_a_large_cell_arrives(capfd: pytest.CaptureFixture[str]) -> None:
    large = bytes(50_000_000)
    assert parallel.map_cells(len, [large], description="large") == [len(large)]
    assert capfd.readouterr().err == ""  # Dask warns of it in seven lines


@pytest.mark.usefixtures("_on_cluster")
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 16, 25])
def test_many_cells_share_tasks(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(cluster, "MOST_TASKS", 8)
    assert parallel.map_cells(abs, range(-count, 0), description="many") == [*range(count, 0, -1)]


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


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("tcp://127.0.0.1:9", "tcp://127.0.0.1:9"),
        ("nonsense://a", "nonsense://a"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("tcp://[::1:9", "tcp://[::1:9"),
        (" tcp://127.0.0.1:9\n", "tcp://127.0.0.1:9"),
        ("tcp://me:secret@127.0.0.1:9", "127.0.0.1:9"),
        ("tls://127.0.0.1:9", "tls://127.0.0.1:9"),  # without certificates
    ],
)
def test_no_scheduler_at_the_address_is_one_line(
    monkeypatch: pytest.MonkeyPatch, address: str, shown: str
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setenv(job.SCHEDULER, address)
    with pytest.raises(ExecutionError) as refused:
        parallel.map_cells(work.slow_square, [1], description="squares")
    told = str(refused.value)
    assert told.startswith(f"{job.SCHEDULER}: no scheduler answers at {shown}; expected tcp:")
    assert "\n" not in told
    assert "secret" not in told


@pytest.mark.parametrize("name", ["code", "Python", *cluster.NUMERIC])
def test_what_decides_the_numbers_is_held_against_this_process(name: str) -> None:
    here = cluster.code()
    assert cluster.difference(here, here) == ""
    told = cluster.difference(here | {name: "0.1"}, here)
    assert told.startswith(f"{name} 0.1 where this checkout has {here[name]}: give it the same")
    assert cluster.difference({}, here).startswith("code None where")


def test_the_numeric_packages_of_cells_are_all_compared() -> None:
    """Those that core and labs import; the others check or annotate."""
    imported: set[str] = set()
    for folder in ("core", "labs"):
        for path in (ROOT / "pipeline" / folder).rglob("*.py"):
            name = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
            imported |= fingerprint.closure([name], ROOT)[1]
    assert imported - set(cluster.NUMERIC) == {"jaxtyping", "pydantic", "ruamel.yaml"}
