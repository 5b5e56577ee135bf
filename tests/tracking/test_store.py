import json
import shutil
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from stage_files import client_of, runs_of, write_stage

from pipeline import __main__ as shell
from pipeline import tracking
from pipeline.tracking import store as tracking_store


def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_four_processes_that_prepare_at_once_leave_one_sound_store(prepared, root):
    assert prepared[1].count("creating") == 1
    assert sorted(p.name for p in root.glob("*mlflow.db*")) == ["mlflow.db"]
    with closing(sqlite3.connect(root / "mlflow.db")) as store:
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert store.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    tracking.record(root, write_stage(root))
    assert len(runs_of(root)) == 3


def test_a_moved_checkout_reads_its_artifacts_and_writes_to_the_new_place(root, tmp_path):
    tracking.record(root, write_stage(root))
    moved = Path(shutil.move(root, root.with_name("moved")))
    run = runs_of(moved)["train"]
    client, _ = client_of(moved)
    path = client.download_artifacts(run.info.run_id, "metrics.json", str(tmp_path))
    assert json.loads(Path(path).read_text())["O5"]["tiny"]["error"] == 0.5
    tracking.record(moved, write_stage(moved, "measure"))
    assert not root.exists()


def test_an_artifact_path_out_of_the_repository_is_refused(root):
    from mlflow.exceptions import MlflowException

    from pipeline.tracking.artifact_repository import LabArtifactRepository

    with pytest.raises(MlflowException, match="leads out of the repository"):
        LabArtifactRepository("lab:/../../etc", tracking_store.address(root))


def test_a_queued_experiment_logs_to_the_repository_that_queued_it(tmp_path):
    queued = tmp_path / ".dvc" / "tmp" / "exps" / "tmp123"
    assert tracking_store.store_root(queued) == tmp_path
    assert tracking_store.address(queued) == f"sqlite:///{tmp_path}/mlflow.db"


def test_an_unreachable_server_costs_seconds_and_no_output(tmp_path, monkeypatch, capsys):
    uri = f"http://127.0.0.1:{unused_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    (tmp_path / "params.yaml").write_text("oscillator: {task: {dt: 1}}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {train: {cmd: a, outs: [data/train/out.csv]}}\n")
    out = tmp_path / "data/train/out.csv"
    out.parent.mkdir(parents=True)
    out.write_text("result\n")
    started = time.monotonic()
    with pytest.raises(tracking.TrackingError, match=f"no MLflow server answers at {uri}"):
        tracking.prepare(tmp_path)
    with pytest.raises(tracking.TrackingError, match=uri):
        tracking.backfill(tmp_path, {"train": write_stage(tmp_path)})
    shell.track("train", tmp_path)
    assert time.monotonic() - started < 3 * tracking_store.CONNECT_SECONDS
    warning = capsys.readouterr().err
    assert "warning: train: not tracked" in warning
    assert uri in warning
    assert out.read_text() == "result\n"
    assert not (tmp_path / "mlflow.db").exists()


def test_a_file_that_is_no_store_is_one_line(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database, but long enough to be read as one" * 50)
    with pytest.raises(tracking.TrackingError, match=r"mlflow.db is not a sound MLflow store"):
        tracking.backfill(tmp_path, {"train": write_stage(tmp_path)})
