import json
import os
import platform
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.runtime.compute import processor
from pipeline.runtime.formats import artifacts
from pipeline.tracking import store
from pipeline.tracking.backfill import log_missing
from pipeline.tracking.record import record
from tracking.stage_files import (
    ENDED,
    STARTED,
    STEPS,
    TIMING,
    client_of,
    execution_of,
    names,
    runs_of,
    write_fingerprint,
    write_stage,
)


def test_a_stage_is_one_run_with_its_params_metrics_tags_and_files(root, tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "bold-curve")
    execution = write_stage(root)
    record(root, execution, TIMING)
    run = runs_of(root)["oscillator_train"]
    assert run.data.params == {
        "oscillator.task.dt": "0.1",
        "oscillator.task.gammas": "[0.1,0.2]",
        "oscillator.task.kind": "damped",
    }
    metrics = {"O5.tiny.r50": 0.5, "O5.tiny.n": 2.0, "stage_seconds": 12.5}
    assert run.data.metrics == metrics | {"cells_computed": 3.0, "workers_idle_share": 0.25}
    tags = run.data.tags
    assert tags["stage"] == "oscillator_train"
    assert tags["dvc.entry"] == execution.hash
    assert tags["dvc.exp"] == "bold-curve"
    assert json.loads(tags["inputs"]) == execution.deps
    assert json.loads(tags["outputs"]) == execution.outs
    assert tags["mlflow.note.content"].startswith("Tiny models\n\n| headline")
    client, _ = client_of(root)
    copied = ["history.csv", "metrics.json", "models.json", "models.safetensors", "results.json"]
    assert names(client, run) == ["execution.json", *copied]  # no npz, nothing large
    path = client.download_artifacts(run.info.run_id, "execution.json", str(tmp_path))
    described = json.loads(Path(path).read_text())
    assert described["outs"] == execution.outs  # ... whose md5 stands here
    assert run.info.artifact_uri.startswith("lab:/")


def test_all_runs_have_the_stage_s_times(root):
    record(root, write_stage(root), TIMING)
    runs = runs_of(root)
    assert {run.info.start_time for run in runs.values()} == {STARTED}
    assert {run.info.end_time for run in runs.values()} == {ENDED}
    assert "stage_seconds" not in runs["O5.tiny.seed_0"].data.metrics
    client, _ = client_of(root)
    loss = client.get_metric_history(runs["O5.tiny.seed_0"].info.run_id, "loss")
    assert {point.timestamp for point in loss} == {ENDED}


def test_a_stage_that_just_ran_says_where_and_with_what(root):
    write_stage(root)
    record(root, execution_of(root, deps=write_fingerprint(root)), TIMING)
    tags = runs_of(root)["oscillator_train"].data.tags
    assert tags["processor"] == processor.model()
    assert tags["python"] == platform.python_version()
    assert tags["torch"] == "2.13.0"
    assert json.loads(tags["packages"]) == {"numpy": "2.1", "torch": "2.13.0"}
    assert tags["times"] == "measured"


def test_a_run_without_times_of_its_own_is_dated_by_its_files(root):
    execution = write_stage(root)
    for path in execution.outs:
        os.utime(root / path, (1000, 1000))
    os.utime(root / "data/oscillator_train/metrics.json", (2000, 2000.5))
    record(root, execution)
    run = runs_of(root)["oscillator_train"]
    assert (run.info.start_time, run.info.end_time) == (2_000_500, 2_000_500)
    assert "stage_seconds" not in run.data.metrics
    assert run.data.tags["times"] == "the outputs' modification time"
    assert not {"processor", "torch"} & run.data.tags.keys()


def test_each_trained_model_is_a_child_run_with_its_curves(root):
    record(root, write_stage(root), TIMING)
    runs = runs_of(root)
    client, _ = client_of(root)
    assert sorted(runs) == ["O5.tiny.seed_0", "O5.tiny.seed_1", "oscillator_train"]
    child = runs["O5.tiny.seed_1"]
    assert child.data.tags["mlflow.parentRunId"] == runs["oscillator_train"].info.run_id
    assert child.data.params == {"n_layers": "2", "seed": "1"}
    loss = client.get_metric_history(child.info.run_id, "loss")
    assert [(m.step, m.value) for m in loss] == [(s, 1 / (s + 1)) for s in range(1, STEPS + 1)]
    validation = client.get_metric_history(child.info.run_id, "validation_loss")
    assert [m.step for m in validation] == list(range(2, STEPS + 1, 2))  # NaN is skipped
    assert names(client, child) == []


def test_a_store_is_whole_in_its_file_when_a_run_is_logged(root, tmp_path):
    record(root, write_stage(root, register="tiny_model"), TIMING)
    assert sorted(path.name for path in root.glob("*mlflow.db*")) == ["mlflow.db"]
    with closing(sqlite3.connect(root / "mlflow.db")) as database:
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (3,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_every_step_says_how_long_it_may_take(root):
    limits = []
    record(root, write_stage(root), TIMING, {}, limits.append)
    assert limits == [10.0] * 6  # three runs begin and end
    limits.clear()
    record(root, write_stage(root, "oscillator_other", register="tiny"), TIMING, {}, limits.append)
    assert limits == [10.0] * 3 + [120.0] + [10.0] * 3


def test_more_params_and_points_than_a_batch_takes_are_all_logged(root):
    execution = write_stage(root, entries=[])
    params = {f"p{i}": i for i in range(250)}
    rows = "".join(f"{step},{step * 0.5}\n" for step in range(2500))
    (root / "data/oscillator_train/long.csv").write_text("step,loss\n" + rows)
    entry = {"name": "long", "params": params, "metrics": {}}
    entry |= {"history": {"file": "long.csv", "where": {}}}
    artifacts.write_json(root / "data/oscillator_train/models.json", [entry])
    record(root, execution)
    run = runs_of(root)["long"]
    client, _ = client_of(root)
    assert run.data.params == {key: str(value) for key, value in params.items()}
    logged = client.get_metric_history(run.info.run_id, "loss")
    assert sorted((m.step, m.value) for m in logged) == [(s, s * 0.5) for s in range(2500)]


def test_a_failure_midway_shows_no_run_and_backfill_logs_it_later(root, monkeypatch):
    from mlflow import MlflowClient

    execution = write_stage(root)
    log_batch, calls = MlflowClient.log_batch, []

    def failing(self, *args, **kwargs):
        calls.append(args)
        if len(calls) == 2:
            raise OSError("disk full")
        return log_batch(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_batch", failing)
        with pytest.raises(OSError, match="disk full"):
            record(root, execution)
    assert len(calls) == 2
    assert runs_of(root) == {}
    assert store.logged_hashes(root, [execution.hash]) == set()
    log_missing(root, {"train": execution}, lambda line: None)
    assert len(runs_of(root)) == 3
