import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from pipeline.runtime.files import md5
from pipeline.tracking.backfill import log_missing
from pipeline.tracking.record import record
from tracking.stage_files import TIMING, client_of, execution_of, runs_of, write_stage

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def test_backfill_logs_what_is_missing_once(root):
    executions = {name: write_stage(root, name) for name in ("oscillator_train", "measure")}
    record(root, executions["oscillator_train"])
    said = []
    log_missing(root, executions, said.append)
    assert said == ["measure: logged"]
    log_missing(root, executions, said.append)
    assert said == ["measure: logged"]
    assert len(runs_of(root, "tags.stage = 'measure' and tags.`dvc.entry` != ''")) == 1


def test_a_backfilled_run_equals_the_recorded_one(root, tmp_path):
    other = Path(shutil.copytree(root, tmp_path / "other"))
    execution = write_stage(root)
    record(root, execution, TIMING)
    shutil.copytree(root / "data", other / "data", dirs_exist_ok=True)
    log_missing(other, {"oscillator_train": execution}, lambda line: None)
    recorded, filled = runs_of(root), runs_of(other)
    for name in recorded:
        assert recorded[name].data.params == filled[name].data.params
        measured = {"stage_seconds": TIMING.seconds} if name == "oscillator_train" else {}
        assert recorded[name].data.metrics == filled[name].data.metrics | measured
    varying = {"processor", "python", "torch", "packages", "times"}
    one, two = (runs["oscillator_train"].data.tags for runs in (recorded, filled))
    assert {k: one[k] for k in one.keys() - varying} == {k: two[k] for k in two.keys() - varying}


def test_backfill_says_which_files_are_not_those_of_the_lock(root):
    execution = write_stage(root)
    (root / "data/oscillator_train/metrics.json").write_text("{}")
    said = []
    log_missing(root, {"oscillator_train": execution}, said.append)
    assert len(said) == 1
    assert said[0].endswith(
        "data/oscillator_train/metrics.json is missing or not as dvc.lock names it"
    )
    assert runs_of(root) == {}


def test_backfill_says_which_files_are_missing(root):
    execution = write_stage(root)
    shutil.rmtree(root / "data")
    said = []
    log_missing(root, {"oscillator_train": execution}, said.append)
    assert len(said) == 1
    assert said[0].startswith("oscillator_train: not logged: data/oscillator_train/big.csv is miss")


def test_a_run_that_the_user_deleted_stays_deleted(root):
    execution = write_stage(root)
    record(root, execution)
    client, _ = client_of(root)
    for run in runs_of(root).values():
        client.delete_run(run.info.run_id)
    log_missing(root, {"oscillator_train": execution}, lambda line: None)
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
    log_missing(root, {}, lambda line: None)
    assert sorted(path.name for path in root.glob("*mlflow.db*")) == ["mlflow.db"]
    assert set(runs_of(root, finished=False)) == {"mine", "elsewhere"}
    client.set_terminated(mine.info.run_id)


def test_backfill_with_nothing_to_do_imports_neither_mlflow_nor_torch(root):
    record(root, write_stage(root))
    (root / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    (root / "dvc.yaml").write_text("stages: {}\n")
    (root / "pipeline" / "stages").mkdir(parents=True)
    code = (
        "import sys; from pathlib import Path; from pipeline.__main__ import main\n"
        "assert main(['track'], Path(sys.argv[1])) == 0\n"
        "assert not {'mlflow', 'torch', 'pandas'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code, str(root)], cwd=REPOSITORY, check=True)
    assert sorted(path.name for path in root.glob("*mlflow.db*")) == ["mlflow.db"]


def test_a_stage_of_the_user_s_own_is_logged_with_what_it_has(root):
    (root / "table").mkdir()
    (root / "table/a.csv").write_text("a\n1\n")
    own = execution_of(
        root,
        "own@1",
        cmd="echo 1\necho 2",
        deps={"https://host/a": '{"etag": "1"}'},
        outs={"table": md5(root / "table"), "table/a.csv": md5(root / "table/a.csv")},
        params={"k": 3},
    )
    said = []
    log_missing(root, {"own@1": own}, said.append)
    assert said == ["own@1: logged"]
    assert runs_of(root)["own@1"].data.params == {"k": "3"}
