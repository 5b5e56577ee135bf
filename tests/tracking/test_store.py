import json
import shutil
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.tracking import store
from pipeline.tracking.backfill import log_missing
from pipeline.tracking.process import IMPORT_SECONDS, TrackingProcess
from pipeline.tracking.record import record
from pipeline.tracking.server.patience import BUDGET_SECONDS
from pipeline.tracking.store import TrackingError
from tracking.stage_files import TIMING, client_of, runs_of, write_stage


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_four_processes_that_prepare_at_once_leave_one_sound_store(prepared, root):
    assert prepared[1].count("creating") == 1
    assert sorted(p.name for p in root.glob("*mlflow.db*")) == ["mlflow.db"]
    with closing(sqlite3.connect(root / "mlflow.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
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
    with pytest.raises(TrackingError, match=r"mlflow.db is not a sound MLflow store"):
        log_missing(tmp_path, {"train": write_stage(tmp_path)})
