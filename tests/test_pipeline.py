"""The whole DAG at small scale in a scratch copy, against a real MLflow store."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from soak import kills

from pipeline.labs.oscillator.models.forecasters import FORECASTERS
from pipeline.runtime import dag, files, smoke
from pipeline.runtime.formats import saved_models
from pipeline.runtime.kept import store
from pipeline.tracking import runs as tracking_runs

ROOT = Path(__file__).resolve().parent.parent
TRAINING = "oscillator_train_variable"
pytestmark = [
    pytest.mark.pipeline,
    # MLflow's own warnings, on import and when it reads a store.
    pytest.mark.filterwarnings("ignore:::mlflow"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def dvc(copy, *arguments, **options):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**smoke.environment(), "PATH": path}
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, check=False, **options
    )


def planned(copy, *targets):
    """Return the stages that a repro would run."""
    lines = dvc(copy, "repro", "--dry", *targets).stdout.splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage")]


def change(copy, *keys, to):
    yaml = YAML()
    path = copy / "params.yaml"
    content = yaml.load(path)
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    with path.open("w") as file:
        yaml.dump(content, file)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "copy"
    smoke.run(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def client(copy):
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{copy / 'mlflow.db'}")
    yield mlflow.MlflowClient()
    mlflow.set_tracking_uri(None)


@pytest.fixture(scope="module")
def runs(client):
    experiment = client.get_experiment_by_name("attention-lab")
    found = client.search_runs([experiment.experiment_id], max_results=2000)
    return {run.info.run_name: run for run in found}


def test_every_stage_is_one_finished_run_with_its_params(copy, runs):
    for name in dag.read(copy):
        run = runs[name]
        assert run.info.status == "FINISHED"
        assert run.data.tags["stage"] == name
        assert run.data.tags["commit"]
        for section in dag.stage_module(name).Params.sections():
            assert any(key.startswith(section) for key in run.data.params), (name, section)


def test_the_metrics_are_those_of_the_files(copy, runs):
    for stage in dag.stage_names(copy):
        path = copy / "data" / stage / "metrics.json"
        if not path.is_file():
            continue
        for place, value in json.loads(path.read_text()).items():
            key = tracking_runs.valid(place)
            assert runs[stage].data.metrics[key] == pytest.approx(value, rel=1e-12), key


def test_figures_and_tables_are_artifacts(client, runs):
    names = {a.path for a in client.list_artifacts(runs["oscillator_figures"].info.run_id)}
    assert {"o3_rollouts.png", "o3_rollouts.svg", "execution.json"} <= names


def test_trained_models_are_child_runs_with_loss_curves(client, runs):
    parent = runs[TRAINING].info.run_id
    children = [r for r in runs.values() if r.data.tags.get("mlflow.parentRunId") == parent]
    assert len(children) == 10  # five models, two seeds at small scale
    for child in children:
        curve = client.get_metric_history(child.info.run_id, "loss")
        assert [point.step for point in curve] == [5, 10, 15, 20]
        assert child.data.params["n_layers"]


def test_the_final_model_is_loaded_by_its_name(copy, client):
    import mlflow
    import torch

    version = client.search_model_versions("name='oscillator_attention'")[0].version
    loaded = mlflow.pytorch.load_model(f"models:/oscillator_attention/{version}")
    models = saved_models.read_models(copy / "data" / TRAINING / "models.safetensors", *FORECASTERS)
    last = list(models.values())[-1].member(0)
    x = torch.rand(3, 40, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        # The exported graph orders its sums as it likes: float32 rounding of values near one.
        torch.testing.assert_close(loaded(x), last(x[None])[0], rtol=1e-4, atol=1e-5)


def test_a_second_repro_has_nothing_to_do(copy):
    assert planned(copy) == []


def test_a_changed_number_reruns_what_it_can_affect(copy):
    before = (copy / "params.yaml").read_text()
    try:
        change(copy, "presets", "study", "steps", to=21)
        assert planned(copy, "check_params") == ["check_params"]
        assert dvc(copy, "repro", "check_params").returncode == 0
        stages = planned(copy)
    finally:
        (copy / "params.yaml").write_text(before)
        dvc(copy, "repro", "check_params")
    assert {"oscillator_train_variable", "oscillator_train_linear"} <= set(stages)
    assert not {"oscillator_train_fixed", "oscillator_data", "memory_data"} & set(stages)


def test_a_bad_number_stops_before_anything_is_deleted(copy):
    before = (copy / "params.yaml").read_text()
    kept = sorted(path for path in (copy / "data").rglob("*") if path.is_file())
    try:
        change(copy, "oscillator", "task", "dt", to=-0.1)
        failed = dvc(copy, "repro")
    finally:
        (copy / "params.yaml").write_text(before)
    assert failed.returncode != 0
    assert "params.yaml: oscillator.task.dt must be >= 1e-06, got -0.1" in failed.stderr
    assert (
        dvc(copy, "checkout", "data/check_params/code", "data/check_params/params").returncode == 0
    )
    assert sorted(path for path in (copy / "data").rglob("*") if path.is_file()) == kept


def test_killed_in_the_midst_of_training_and_run_again_it_makes_the_same_bits(copy):
    bed = kills.Bed(copy)
    kills.remember(bed)
    met = kills.kill(bed, TRAINING, "dvc", signal.SIGKILL, 0.6 * bed.seconds[TRAINING])
    assert met == "dvc"
    kills.forget(bed)  # so that the rerun computes
    bed.run("dvc", "repro", "-s", TRAINING)
    # This process has the store open.
    assert [fault for fault in kills.faults(bed) if "mlflow.db-" not in fault] == []


def test_finished_cells_are_taken_with_the_same_bits_and_logged(
    copy, client, tmp_path, monkeypatch
):
    monkeypatch.setenv(store.FOLDER, str(tmp_path / "cells"))
    made = [files.md5(copy / "data" / TRAINING)]
    experiment = client.get_experiment_by_name("attention-lab").experiment_id
    metrics = []
    for _ in range(2):
        done = dvc(copy, "repro", "-f", "-s", TRAINING)
        assert done.returncode == 0, done.stderr
        made.append(files.md5(copy / "data" / TRAINING))
        [run] = client.search_runs(
            [experiment], f"tags.stage = '{TRAINING}' and tags.times = 'measured'",
            order_by=["attributes.start_time DESC"], max_results=1,
        )  # fmt: skip
        metrics.append(run.data.metrics)
    assert len(set(made)) == 1
    cells = metrics[0]["cells_computed"]
    assert cells > 1
    assert [(m["cells_computed"], m["cells_kept"]) for m in metrics] == [(cells, 0), (0, cells)]
    assert 0 <= metrics[0]["workers_idle_share"] < 1
    assert "workers_idle_share" not in metrics[1]  # none was started
