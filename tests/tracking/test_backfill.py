import json
import shutil
import subprocess
import sys
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.runtime.files import md5
from pipeline.tracking import backfill
from pipeline.tracking.backfill import log_missing
from pipeline.tracking.record import record
from pipeline.tracking.store import ARTIFACTS, StoreError, TrackingError, address, lock_folder
from pipeline.tracking.writers import writer
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
        measured = TIMING.metrics if name == "oscillator_train" else {}
        assert recorded[name].data.metrics == filled[name].data.metrics | measured
    varying = {"writer", "processor", "device", "python", "torch", "packages", "times"}
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


KILLED = """
import json, os, socket, sys
from pathlib import Path
from mlflow import MlflowClient
from pipeline.runtime.provenance import Execution
from pipeline.tracking import record
create_run, runs = MlflowClient.create_run, []
def killed(self, *arguments, **named):
    if len(runs) == 2:
        self.set_terminated(runs[1])  # as the children are before their parent
        os.kill(os.getpid(), 9)
    runs.append(create_run(self, *arguments, **named).info.run_id)
    return self.get_run(runs[-1])
MlflowClient.create_run = killed
socket.gethostname = lambda: "another-container"
record.record(Path(sys.argv[1]), Execution(**json.loads(sys.argv[2])))
"""


def test_what_a_killed_writer_left_is_whole_and_swept(root, tmp_path):
    execution = write_stage(root)
    record(root, write_stage(root, "measure"))
    described = json.dumps(asdict(execution))
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(root), described]
    assert subprocess.run(command, cwd=REPOSITORY, check=False).returncode == -9
    assert sorted(path.name for path in root.glob("*mlflow.db*")) == ["mlflow.db"]
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(root / "mlflow.db", copy)
    assert len(runs_of(copy, finished=False)) == 4
    for place in (root, copy):  # the copy has no lock of it at all
        log_missing(place, {}, lambda line: None)
        assert len(runs_of(place, "tags.stage = 'measure'")) == len(runs_of(place)) == 3
    log_missing(root, {"oscillator_train": execution}, lambda line: None)
    assert len(runs_of(root)) == 4  # two stages, and the same two models of each
    assert not list((root / "data/.locks").glob("writer-*"))


def test_what_a_living_process_writes_is_not_hidden(root):
    client, experiment = client_of(root)
    with writer(lock_folder(root), local=True) as name:
        client.create_run(experiment, tags={"writer": name}, run_name="mine")
        remote = name.replace("writer-local", "writer-server")
        client.create_run(experiment, tags={"writer": remote}, run_name="of another checkout")
        dead = client.create_run(experiment, tags={"writer": "elsewhere 1"}, run_name="dead")
        parent = {"mlflow.parentRunId": dead.info.run_id, "writer": "elsewhere 1"}
        client.create_run(experiment, tags=parent, run_name="child")
        log_missing(root, {}, lambda line: None)
        assert set(runs_of(root, finished=False)) == {"mine", "of another checkout"}


def test_a_writer_that_finishes_meanwhile_is_not_hidden(root, monkeypatch):
    client, experiment = client_of(root)
    run = client.create_run(experiment, tags={"writer": "host 1 writer-local-1"}, run_name="mine")

    def ends(folder, tag):
        client.set_terminated(run.info.run_id)
        return False

    monkeypatch.setattr(backfill.writers, "is_alive", ends)
    log_missing(root, {}, lambda line: None)
    assert set(runs_of(root)) == {"mine"}


def test_what_this_checkout_s_killed_writer_left_on_a_server_is_swept(root, monkeypatch):
    client, experiment = client_of(root)
    with suppress(OSError), writer(lock_folder(root), local=False) as name:
        tags = {"writer": name}
        dead = client.create_run(experiment, tags=tags, run_name="dead").info.run_id
        tags |= {"mlflow.parentRunId": dead}
        child = client.create_run(experiment, tags=tags, run_name="child").info.run_id
        client.set_terminated(child)
        raise OSError("its end")
    client.create_run(experiment, tags={"writer": "elsewhere 1 writer-server-1"}, run_name="other")
    with writer(lock_folder(root), local=False) as name:
        client.create_run(experiment, tags={"writer": name}, run_name="alive")
        # This store stands in for the server's.
        with monkeypatch.context() as patch:
            patch.setattr(backfill, "server", lambda: "http://server")
            patch.setattr(backfill, "writing", lambda root: nullcontext((client, experiment)))
            log_missing(root, {}, lambda line: None)
        assert set(runs_of(root, finished=False)) == {"other", "alive"}
    assert not list(lock_folder(root).glob("writer-*"))


def test_a_store_that_cannot_be_used_ends_it_at_once(root, monkeypatch):
    tried = []

    def full(root, execution):
        tried.append(execution.stage)
        raise StoreError("mlflow.db cannot grow: the disk is full")

    monkeypatch.setattr(backfill, "record", full)
    executions = {name: write_stage(root, name) for name in ("oscillator_train", "measure")}
    with pytest.raises(StoreError, match=r"^mlflow.db cannot grow"):
        log_missing(root, executions)
    assert tried == ["oscillator_train"]


def test_what_fails_for_one_stage_is_told_and_the_others_are_logged(root):
    bad = write_stage(root, entries=[{"name": "n" * 400}])
    executions = {"oscillator_train": bad, "measure": write_stage(root, "measure")}
    said = []
    with pytest.raises(TrackingError, match=r"train \(ArtifactError: oscillator_train/models"):
        log_missing(root, executions, said.append)
    assert said == ["measure: logged"]


def test_deleted_runs_stay_deleted_and_what_is_gone_for_good_is_logged_again(root):
    execution = write_stage(root)
    record(root, execution)
    client, _ = client_of(root)
    runs = runs_of(root)
    client.delete_run(runs["O5.tiny.seed_0"].info.run_id)
    log_missing(root, {"oscillator_train": execution}, lambda line: None)
    assert set(runs_of(root)) == {"O5.tiny.seed_1", "oscillator_train"}
    client.delete_run(runs["oscillator_train"].info.run_id)
    log_missing(root, {"oscillator_train": execution}, lambda line: None)
    assert set(runs_of(root)) == {"O5.tiny.seed_1"}
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    stored = SqlAlchemyStore(address(root), ARTIFACTS)  # `mlflow gc` does this
    stored._hard_delete_run(runs["oscillator_train"].info.run_id)
    log_missing(root, {"oscillator_train": execution}, lambda line: None)
    assert set(runs_of(root)) == {"O5.tiny.seed_0", "O5.tiny.seed_1", "oscillator_train"}


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
