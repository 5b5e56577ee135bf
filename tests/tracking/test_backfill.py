import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from stage_files import client_of, runs_of, write_stage

from pipeline import tracking

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def test_backfill_logs_what_is_missing_once(root):
    executions = {name: write_stage(root, name) for name in ("train", "measure")}
    tracking.record(root, executions["train"])
    said = []
    tracking.backfill(root, executions, said.append)
    assert said == ["measure: logged"]
    tracking.backfill(root, executions, said.append)
    assert said == ["measure: logged"]
    assert len(runs_of(root, "tags.stage = 'measure' and tags.`dvc.entry` != ''")) == 1


def test_a_backfilled_run_equals_the_recorded_one(root, tmp_path):
    other = Path(shutil.copytree(root, tmp_path / "other"))
    execution = write_stage(root)
    tracking.record(root, execution)
    shutil.copytree(root / "data" / "train", other / "data" / "train")
    tracking.backfill(other, {"train": execution}, lambda line: None)
    recorded, filled = runs_of(root), runs_of(other)
    for name in recorded:
        assert recorded[name].data.params == filled[name].data.params
        assert recorded[name].data.metrics == filled[name].data.metrics
    varying = {"mlflow.parentRunId"}
    one, two = (runs["train"].data.tags for runs in (recorded, filled))
    assert {k: one[k] for k in one.keys() - varying} == {k: two[k] for k in two.keys() - varying}


def test_backfill_says_which_files_are_not_those_of_the_lock(root):
    execution = write_stage(root)
    (root / "data/train/metrics.json").write_text("{}")
    said = []
    tracking.backfill(root, {"train": execution}, said.append)
    assert said == [
        "train: not logged: data/train/metrics.json is missing or not as dvc.lock names it"
    ]
    assert runs_of(root) == {}


def test_a_run_that_the_user_deleted_stays_deleted(root):
    execution = write_stage(root)
    tracking.record(root, execution)
    client, _ = client_of(root)
    for run in runs_of(root).values():
        client.delete_run(run.info.run_id)
    tracking.backfill(root, {"train": execution}, lambda line: None)
    assert runs_of(root) == {}


def test_what_a_killed_process_left_half_written_is_swept(root):
    client, experiment = client_of(root)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = socket.gethostname()
    mine = client.create_run(experiment, tags={"writer": f"{host} {os.getpid()}"}, run_name="mine")
    dead = client.create_run(experiment, tags={"writer": f"{host} {ended.pid}"}, run_name="dead")
    parent = {"mlflow.parentRunId": dead.info.run_id}
    client.create_run(experiment, tags=parent, run_name="child")
    client.create_run(experiment, tags={"writer": "another-host 1"}, run_name="elsewhere")
    tracking.backfill(root, {}, lambda line: None)
    assert set(runs_of(root, finished=False)) == {"mine", "elsewhere"}
    client.set_terminated(mine.info.run_id)


def test_backfill_with_nothing_to_do_imports_neither_mlflow_nor_torch(root):
    tracking.record(root, write_stage(root))
    (root / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "pipeline" / "stages").mkdir(parents=True)
    code = (
        "import sys; from pathlib import Path; from pipeline.__main__ import main\n"
        "assert main(['track'], Path(sys.argv[1])) == 0\n"
        "assert not {'mlflow', 'torch', 'pandas'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code, str(root)], cwd=REPOSITORY, check=True)
