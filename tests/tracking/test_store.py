import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.tracking import database, store
from pipeline.tracking.backfill import log_missing
from pipeline.tracking.process import IMPORT_SECONDS, TrackingProcess
from pipeline.tracking.record import record
from pipeline.tracking.server.patience import BUDGET_SECONDS
from pipeline.tracking.store import StoreError, TrackingError
from pipeline.tracking.writers import writer
from tracking.stage_files import TIMING, client_of, names, runs_of, write_stage


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_four_processes_that_prepare_at_once_leave_one_sound_store(prepared, root):
    assert prepared[1].count("creating") == 1
    assert sorted(p.name for p in root.glob("*mlflow.db*")) == ["mlflow.db"]
    with closing(sqlite3.connect(root / "mlflow.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    record(root, write_stage(root))
    assert len(runs_of(root)) == 3


def test_a_moved_checkout_reads_its_artifacts_and_writes_to_the_new_place(root, tmp_path):
    record(root, write_stage(root))
    moved = Path(shutil.move(root, root.with_name("moved")))
    run = runs_of(moved)["oscillator_train"]
    client, _ = client_of(moved)
    path = client.download_artifacts(run.info.run_id, "metrics.json", str(tmp_path))
    assert json.loads(Path(path).read_text())["O5.tiny.r50"] == 0.5
    record(moved, write_stage(moved, "measure"))
    assert not root.exists()


def test_an_artifact_path_out_of_the_repository_is_refused(root):
    from mlflow.exceptions import MlflowException

    from pipeline.tracking.artifact_repository import LabArtifactRepository

    with pytest.raises(MlflowException, match="leads out of the repository"):
        LabArtifactRepository("lab:/../../etc", store.address(root))


def test_a_queued_experiment_logs_to_the_repository_that_queued_it(tmp_path):
    queued = tmp_path / ".dvc" / "tmp" / "exps" / "tmp123"
    assert store.store_root(queued) == tmp_path
    assert store.address(queued) == f"sqlite:///{tmp_path}/mlflow.db"


def test_an_unreachable_server_costs_seconds(tmp_path, monkeypatch):
    uri = f"http://127.0.0.1:{unused_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    execution = write_stage(tmp_path)
    started = time.monotonic()
    with pytest.raises(TrackingError, match=f"no MLflow server answers at {uri}"):
        store.prepare(tmp_path)
    with pytest.raises(TrackingError, match=uri):
        log_missing(tmp_path, {"oscillator_train": execution})
    with (
        TrackingProcess(tmp_path) as process,
        pytest.raises(TrackingError, match=f"^no MLflow server answers at {uri}"),
    ):
        process.record(execution, TIMING)
    # The process's own start takes seconds too.
    assert time.monotonic() - started < 3 * BUDGET_SECONDS + IMPORT_SECONDS
    assert not (tmp_path / "mlflow.db").exists()


def test_what_a_killed_process_left_of_a_store_is_removed(tmp_path):
    (tmp_path / ".mlflow.db.1").write_text("half")
    store.prepare(tmp_path, lambda line: None)
    assert sorted(path.name for path in tmp_path.glob("*mlflow.db*")) == ["mlflow.db"]


def test_a_file_that_is_no_store_is_one_line(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to be read as one" * 50)
    with pytest.raises(TrackingError, match=r"mlflow.db is not a sound sqlite file"):
        log_missing(tmp_path, {"train": write_stage(tmp_path)})


@pytest.fixture
def holder(root):
    """Another program holds the store until it is told to end."""
    code = (
        "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN EXCLUSIVE'); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(root / "mlflow.db")]
    started = []

    def hold():
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        process.stdout.readline()

    def release():
        for process in started:
            process.communicate()

    yield hold, release
    release()


def test_a_store_that_another_program_holds_is_one_line(root, holder, monkeypatch, capfd):
    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    execution = write_stage(root)
    hold, release = holder
    hold()
    for log in (record, lambda root, stage: log_missing(root, {"a": stage, "b": stage})):
        with pytest.raises(StoreError, match=r"^mlflow\.db is locked by another program: wait"):
            log(root, execution)
    assert capfd.readouterr() == ("", "")
    release()
    log_missing(root, {"oscillator_train": execution}, lambda line: None)
    assert len(runs_of(root)) == 3


def test_a_store_that_is_taken_midway_is_one_line(root, holder, monkeypatch, capfd):
    from mlflow import MlflowClient

    monkeypatch.setattr(database, "LOCK_SECONDS", 0.1)
    log_batch = MlflowClient.log_batch
    execution = write_stage(root)
    hold, release = holder

    def taken(self, *args, **kwargs):
        hold()
        return log_batch(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_batch", taken)
        with pytest.raises(StoreError, match=r"^mlflow\.db is locked by another program: wait"):
            record(root, execution)
    assert capfd.readouterr() == ("", "")
    release()
    log_missing(root, {"oscillator_train": execution}, lambda line: None)
    assert len(runs_of(root)) == 3  # and the half-written one is hidden
    assert sorted(path.name for path in root.glob("*mlflow.db*")) == ["mlflow.db"]


def test_a_warm_up_leaves_a_store_that_another_program_holds(root, holder):
    hold, _ = holder
    hold()
    started = time.monotonic()
    store.warm_up(root)
    assert time.monotonic() - started < database.LOCK_SECONDS


def test_an_experiment_that_was_deleted_is_restored_in_one_line(root):
    executions = {name: write_stage(root, name) for name in ("oscillator_train", "measure")}
    record(root, executions["oscillator_train"])
    client, experiment = client_of(root)
    failed = client.create_run(experiment, tags={"writer": "host 1 lock"}).info.run_id
    client.set_terminated(failed, status="FAILED")
    client.delete_run(failed)
    client.delete_experiment(experiment)
    said = []
    log_missing(root, {"oscillator_train": executions["oscillator_train"]}, said.append)
    assert len(said) == 1
    assert said[0].startswith("the experiment attention-lab was deleted in MLflow: restored")
    assert len(runs_of(root)) == 3  # without the failed one, which was hidden before
    client.delete_experiment(experiment)
    record(root, executions["measure"])  # as a stage does
    assert len(runs_of(root, "tags.stage = 'measure' and tags.`dvc.entry` != ''")) == 1


def test_a_store_without_the_experiment_gets_it_again(root):
    client, experiment = client_of(root)
    client.rename_experiment(experiment, "mine")
    record(root, write_stage(root))
    assert len(runs_of(root)) == 3


def test_the_store_and_its_artifacts_may_be_links_to_another_disk(root, tmp_path):
    disk = tmp_path / "disk"
    (disk / "files").mkdir(parents=True)
    shutil.move(root / "mlflow.db", disk / "runs.db")
    (root / "mlflow.db").symlink_to(disk / "runs.db")
    (root / "mlartifacts").symlink_to(disk / "files")
    record(root, write_stage(root))
    assert sorted(path.name for path in disk.iterdir()) == [".locks", "files", "runs.db"]
    assert list((disk / "files").rglob("metrics.json"))
    client, _ = client_of(root)
    run = runs_of(root)["oscillator_train"]
    assert "metrics.json" in names(client, run)


def test_checkouts_that_share_a_store_hide_nothing_of_each_other(root, tmp_path):
    shutil.move(root / "mlflow.db", tmp_path / "shared.db")
    other = tmp_path / "other"
    other.mkdir()
    for checkout in (root, other):
        (checkout / "mlflow.db").symlink_to(tmp_path / "shared.db")
    client, experiment = client_of(root)
    with writer(store.lock_folder(root), local=True) as name:
        client.create_run(experiment, tags={"writer": name}, run_name="mine")
        log_missing(other, {}, lambda line: None)
        assert set(runs_of(root, finished=False)) == {"mine"}
    log_missing(other, {}, lambda line: None)
    assert runs_of(root, finished=False) == {}


def test_a_file_in_place_of_the_artifacts_is_one_line(root):
    (root / "mlartifacts").write_text("")
    with pytest.raises(StoreError, match=r"^mlartifacts is a file, expected a folder"):
        record(root, write_stage(root))
    assert runs_in(root) == []


def test_artifacts_that_were_deleted_cost_nothing_of_what_follows(root):
    record(root, write_stage(root))
    shutil.rmtree(root / "mlartifacts")
    record(root, write_stage(root, "oscillator_other"))
    client, _ = client_of(root)
    assert "metrics.json" in names(client, runs_of(root)["oscillator_other"])


def test_what_the_readme_names_is_the_whole_store_also_while_a_client_reads(root, tmp_path):
    from mlflow import MlflowClient

    client = MlflowClient(store.address(root))
    client.search_experiments()
    record(root, write_stage(root))
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(root / "mlartifacts", elsewhere / "mlartifacts")
    shutil.copy(root / "mlflow.db", elsewhere)
    assert len(runs_of(elsewhere)) == 3
    assert "metrics.json" in names(client_of(elsewhere)[0], runs_of(elsewhere)["oscillator_train"])


def test_a_store_that_is_reset_is_a_new_one_also_in_the_same_process(root, prepared, monkeypatch):
    filled = prepared[0] / "mlflow.db"  # MLflow's own takes seconds
    monkeypatch.setattr(store, "_fill", lambda path: shutil.copy(filled, path))
    execution = write_stage(root)
    record(root, execution)
    (root / "mlflow.db").unlink()
    log_missing(root, {"oscillator_train": execution}, lambda line: None)
    assert len(runs_of(root)) == 3


def runs_in(root):
    return database.read(root / "mlflow.db", "SELECT name FROM runs")
