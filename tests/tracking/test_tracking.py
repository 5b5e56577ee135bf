import json
import subprocess
from pathlib import Path

import pytest
from stage_files import STEPS, client_of, names, runs_of, write_stage

from pipeline import tracking
from pipeline.runtime import artifacts
from pipeline.tracking import store as tracking_store


def test_a_stage_is_one_run_with_its_params_metrics_tags_and_files(root, tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "bold-curve")
    execution = write_stage(root)
    tracking.record(root, execution)
    run = runs_of(root)["train"]
    assert run.data.params == {
        "oscillator.task.dt": "0.1",
        "oscillator.task.gammas": "[0.1,0.2]",
        "oscillator.task.kind": "damped",
    }
    assert run.data.metrics == {"O5.tiny.error": 0.5, "O5.tiny.n": 2.0}
    tags = run.data.tags
    assert tags["stage"] == "train"
    assert tags["dvc.entry"] == execution.hash
    assert tags["dvc.exp"] == "bold-curve"
    assert json.loads(tags["inputs"]) == execution.deps
    assert json.loads(tags["outputs"]) == execution.outs
    client, _ = client_of(root)
    copied = ["history.csv", "metrics.json", "models.json", "models.safetensors"]
    assert names(client, run) == ["execution.json", *copied]  # no npz, nothing large
    path = client.download_artifacts(run.info.run_id, "execution.json", str(tmp_path))
    described = json.loads(Path(path).read_text())
    assert described["outs"] == execution.outs  # ... whose md5 stands here
    assert run.info.artifact_uri.startswith("lab:/")


def test_each_trained_model_is_a_child_run_with_its_curves(root):
    tracking.record(root, write_stage(root))
    runs = runs_of(root)
    client, _ = client_of(root)
    assert sorted(runs) == ["O5.tiny.seed_0", "O5.tiny.seed_1", "train"]
    child = runs["O5.tiny.seed_1"]
    assert child.data.tags["mlflow.parentRunId"] == runs["train"].info.run_id
    assert child.data.params == {"n_layers": "2", "seed": "1"}
    loss = client.get_metric_history(child.info.run_id, "loss")
    assert [(m.step, m.value) for m in loss] == [(s, 1 / (s + 1)) for s in range(1, STEPS + 1)]
    validation = client.get_metric_history(child.info.run_id, "validation_loss")
    assert [m.step for m in validation] == list(range(2, STEPS + 1, 2))  # NaN is skipped
    # The final value is at the last step, so that no curve starts with its end.
    assert [(m.step, m.value) for m in client.get_metric_history(child.info.run_id, "final")] == [
        (STEPS, 7.0)
    ]
    assert names(client, child) == []


def test_a_clean_commit_and_a_dirty_one_are_told_apart(root):
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b"]
    (root / "params.yaml").write_text("a: 1\n")
    for command in (["init", "-q"], ["add", "params.yaml"], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *command], check=True)
    (root / ".gitignore").write_text("*\n")
    context = tracking._context(root)
    assert (len(context["commit"]), context["dirty"]) == (40, "false")
    (root / "params.yaml").write_text("a: 2\n")
    assert tracking._context(root)["dirty"] == "true"


def test_more_params_and_points_than_a_batch_takes_are_all_logged(root):
    execution = write_stage(root, entries=[])
    params = {f"p{i}": i for i in range(250)}
    rows = "".join(f"{step},{step * 0.5}\n" for step in range(2500))
    (root / "data/train/long.csv").write_text("step,loss\n" + rows)
    entry = {"name": "long", "params": params, "metrics": {}}
    entry |= {"history": {"file": "long.csv", "where": {}}}
    artifacts.write_json(root / "data/train/models.json", [entry])
    tracking.record(root, execution)
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
            tracking.record(root, execution)
    assert len(calls) == 2
    assert runs_of(root) == {}
    assert tracking_store.logged_hashes(root, [execution.hash]) == set()
    tracking.backfill(root, {"train": execution}, lambda line: None)
    assert len(runs_of(root)) == 3


def test_the_import_beside_the_computation_ends_quietly_if_mlflow_is_broken(monkeypatch):
    monkeypatch.setattr(tracking, "MODULES", ("no_such_module",))
    tracking.import_while_computing()()
