import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.tracking import process as tracking_process
from pipeline.tracking.process import TrackingProcess
from pipeline.tracking.store import TrackingError
from tracking.stage_files import ENDED, TIMING, execution_of, runs_of, write_stage

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def fake(monkeypatch, code):
    """Let another program be the process that logs."""
    popen = subprocess.Popen
    command = [sys.executable, "-c", code]
    monkeypatch.setattr(
        tracking_process.subprocess, "Popen", lambda _, **options: popen(command, **options)
    )


def test_a_process_beside_the_stage_logs_what_it_is_told(root):
    execution = write_stage(root, register="tiny_model")
    with TrackingProcess(root) as process:
        process.record(execution, TIMING)
    assert sorted(path.name for path in root.glob("*mlflow.db*")) == ["mlflow.db"]
    runs = runs_of(root)
    assert sorted(runs) == ["O5.tiny.seed_0", "O5.tiny.seed_1", "oscillator_train"]
    stage = runs["oscillator_train"]
    assert stage.data.tags["dvc.entry"] == execution.hash
    assert stage.info.end_time == ENDED
    assert stage.data.metrics.items() >= TIMING.metrics.items()


def test_the_first_stage_creates_the_store(tmp_path):
    with TrackingProcess(tmp_path) as process:
        process.record(write_stage(tmp_path), TIMING)
    assert len(runs_of(tmp_path)) == 3


def test_what_the_user_can_mend_is_told_as_it_is(root):
    execution = write_stage(root, entries=[{"name": "O5.a"}])
    with (
        TrackingProcess(root) as process,
        pytest.raises(TrackingError, match=r"oscillator_train/models\.json: entry 0\.params: Fie"),
    ):
        process.record(execution, TIMING)
    assert runs_of(root) == {}


def test_any_other_error_is_told_with_its_kind(root):
    write_stage(root)
    lost = execution_of(root, outs={"data/oscillator_train/lost.csv": "0" * 32})
    with (
        TrackingProcess(root) as process,
        pytest.raises(TrackingError, match=r"^FileNotFoundError: .*lost\.csv"),
    ):
        process.record(lost, TIMING)


def test_a_process_that_hangs_is_ended(tmp_path, monkeypatch):
    fake(monkeypatch, "import time; print('{\"seconds\": 0.2}', flush=True); time.sleep(60)")
    started = time.monotonic()
    with TrackingProcess(tmp_path) as process:
        with pytest.raises(TrackingError, match=r"gave no sign for 0 s"):
            process.record(write_stage(tmp_path), TIMING)
        child = process.child
    assert time.monotonic() - started < tracking_process.IMPORT_SECONDS
    assert child.returncode == -signal.SIGKILL


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "input(); raise SystemExit(3)"])
def test_a_process_that_ends_by_itself_is_an_error(tmp_path, monkeypatch, code):
    fake(monkeypatch, code)
    execution = write_stage(tmp_path)
    with TrackingProcess(tmp_path) as process:
        if "input" not in code:
            process.child.wait()
        with pytest.raises(TrackingError, match=r"logs it ended"):
            process.record(execution, TIMING)


def test_a_process_that_cannot_start_costs_the_record_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tracking_process.sys, "executable", str(tmp_path / "no_python"))
    with (
        TrackingProcess(tmp_path) as process,
        pytest.raises(TrackingError, match=r"could not be started"),
    ):
        process.record(write_stage(tmp_path), TIMING)


HALF = """
import sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("PRAGMA cache_size=1"); c.execute("BEGIN IMMEDIATE")
rows = [(str(i), "x" * 4000) for i in range(999)]
c.executemany("INSERT INTO runs (run_uuid, name) VALUES (?, ?)", rows)
print('{"seconds": 0.2}', flush=True); time.sleep(60)
"""


def test_a_process_that_is_ended_while_it_writes_leaves_a_whole_store(root, monkeypatch):
    monkeypatch.setattr(tracking_process, "GRACE_SECONDS", 0.0)
    before = (root / "mlflow.db").read_bytes()
    code = HALF.replace("sys.argv[1]", repr(str(root / "mlflow.db")))
    fake(monkeypatch, code)
    with TrackingProcess(root) as process:
        with pytest.raises(TrackingError, match="gave no sign"):
            process.record(write_stage(root), TIMING)
        assert (root / "mlflow.db-journal").exists()
    assert not (root / "mlflow.db-journal").exists()
    assert (root / "mlflow.db").read_bytes() == before


def test_it_ends_with_the_stage(root):
    """A stage that is killed leaves no process that would go on for nobody."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from pipeline.tracking.process import TrackingProcess\n"
        "process = TrackingProcess(Path(sys.argv[1]))\n"
        "print(process.child.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(root)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as stage:
        identity = int(stage.stdout.readline())
        stage.kill()
    deadline = time.monotonic() + 60
    while is_running(identity):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(identity):
    try:
        os.kill(identity, 0)
        # A process that nobody waits for is still listed when it has ended.
        return Path(f"/proc/{identity}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
