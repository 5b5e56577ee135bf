"""The shell: outputs appear together or not at all, and what a user can mend is one line."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import scratch
import work
from scratch import MADE, OLD, make, outputs, stage

from pipeline import __main__ as shell
from pipeline import commands
from pipeline.runtime import dag, files, locks
from pipeline.runtime.formats import artifacts
from pipeline.runtime.formats.artifacts import ArtifactError
from pipeline.runtime.provenance import Execution
from pipeline.tracking.circumstances import Timing
from pipeline.tracking.process import TrackingProcess


def failing(error: BaseException) -> Callable[..., Any]:
    """A stage that ends after half its work."""

    def run(params: scratch.Params, inputs: Path, out: Path) -> None:
        make(params, inputs, out)
        raise error

    return run


class Process(TrackingProcess):
    """In place of the process that logs: ``record`` is told the execution."""

    def __init__(self, record: Callable[[Execution], object]):
        self.told = record

    def record(self, execution: Execution, timing: Timing) -> None:
        assert 0 <= timing.started_ms <= timing.ended_ms
        self.told(execution)

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return scratch.repository(tmp_path)


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Execution]]:
    """The executions that went to tracking; this process stays as it is."""
    executions: list[Execution] = []
    monkeypatch.setattr(dag, "stage_module", stage(make))
    monkeypatch.setattr(locks, "end_with_parent", lambda: None)
    monkeypatch.setattr(commands, "TrackingProcess", lambda root: Process(executions.append))
    before = signal.getsignal(signal.SIGTERM)
    yield executions
    signal.signal(signal.SIGTERM, before)


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that the user sees."""
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err[-1:]) == ("", 1, "\n")
    return err.rstrip()


def test_a_stage_leaves_its_outputs_its_metrics_and_a_record(
    root: Path, recorded: list[Execution], capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.main(["a_stage"], root) == 0
    assert set(outputs(root)) == MADE
    assert artifacts.read_json(root / "data" / "a_stage" / "x.json") == {"size": 2, "y": 1}
    assert [execution.outs for execution in recorded] == [
        {f"data/{path}": files.md5(root / "data" / path) for path in MADE}
    ]
    assert capsys.readouterr() == ("", "")


def test_bad_params_are_one_line_and_change_nothing(
    root: Path, recorded: list[Execution], capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "params.yaml").write_text("lab: {part: {size: 0}}\n")
    scratch.check_params(root)
    assert shell.main(["a_stage"], root) == 1
    assert complaint(capsys) == "error: a_stage: params.yaml: lab.part.size must be >= 1, got 0"
    assert outputs(root) == {"a_stage/x.json": OLD}
    assert recorded == []


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            ArtifactError(Path("data/other/y.npz"), "is missing"),
            1,
            "error: a_stage: other/y.npz: is missing; restore it: dvc checkout -f "
            "data/other/y.npz, or remake it: dvc repro -f -s other",
        ),
        (
            OSError(28, "No space left on device", "x.json"),
            1,
            "error: a_stage: cannot read or write: [Errno 28] No space left on device: 'x.json'",
        ),
        (KeyboardInterrupt(), 130, "error: a_stage: interrupted; "),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_stage_that_ends_midway_is_one_line_and_leaves_nothing_half_made(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    recorded: list[Execution],
    error: BaseException,
    code: int,
    message: str,
) -> None:
    monkeypatch.setattr(dag, "stage_module", stage(failing(error)))
    assert shell.main(["a_stage"], root) == code
    assert complaint(capsys).startswith(message)
    assert outputs(root) == {"a_stage/x.json": OLD}
    assert recorded == []


def measure_nothing(params: scratch.Params, inputs: Path, out: Path) -> dict[str, Any]:
    make(params, inputs, out)
    return {"O3": {"gamma_0": {"r_50": float("nan")}}}


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (failing(ZeroDivisionError("a bug")), "a bug"),
        (measure_nothing, r"results\.json: O3\.gamma_0\.r_50 is nan"),
    ],
)
def test_a_fault_of_the_code_shows_its_traceback_and_leaves_nothing_half_made(
    root: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any], message: str
) -> None:
    monkeypatch.setattr(dag, "stage_module", stage(run))
    with pytest.raises((ZeroDivisionError, ValueError), match=message):
        shell.main(["a_stage"], root)
    assert outputs(root) == {"a_stage/x.json": OLD}


def test_a_folder_that_cannot_be_written_is_one_line(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "data" / ".partial").touch()  # a file where a folder should be, so that root fails too
    assert shell.main(["a_stage"], root) == 1
    assert complaint(capsys).startswith("error: a_stage: cannot read or write: ")
    (root / "data" / ".partial").unlink()
    assert outputs(root) == {"a_stage/x.json": OLD}


def test_a_failure_to_track_costs_a_warning_and_no_result(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(execution: Execution) -> None:
        assert set(outputs(root)) == MADE  # complete by now
        raise RuntimeError("the server\ndoes not answer")

    monkeypatch.setattr(commands, "TrackingProcess", lambda root: Process(unreachable))
    assert shell.main(["a_stage"], root) == 0
    found = complaint(capsys)
    assert found.startswith("warning: a_stage: not tracked (RuntimeError: the server does not ans")
    assert "`python -m pipeline track`" in found
    assert artifacts.read_json(root / "data" / "a_stage" / "x.json") == {"size": 2, "y": 1}


def test_a_stage_that_another_process_makes_is_one_line(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.2)
    with locks.exclusive_lock(root / "data" / ".locks" / "a_stage", "a_stage"):
        assert shell.main(["a_stage"], root) == 1
    assert complaint(capsys).startswith("error: a_stage: a_stage is being made by process ")
    assert outputs(root) == {"a_stage/x.json": OLD}


HALF = """
import signal, sys, time
from pathlib import Path
import scratch
import test_main
from pipeline import __main__ as shell, commands
from pipeline.runtime import dag
def half(params, inputs, out):
    scratch.make(params, inputs, out)
    (inputs / ".." / "half").touch()
    time.sleep(60)
dag.stage_module = scratch.stage(half)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell has it ignored
commands.TrackingProcess = lambda root: test_main.Process(print)
sys.exit(shell.main(["a_stage"], Path(sys.argv[1])))
"""


@pytest.mark.parametrize(
    ("end", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)]
)
def test_a_stage_that_is_ended_midway_can_be_run_again(
    root: Path, end: signal.Signals, code: int
) -> None:
    started = subprocess.Popen(
        [sys.executable, "-c", HALF, str(root)],
        env={"PYTHONPATH": f"{shell.ROOT}:{shell.ROOT / 'tests'}"},
        stderr=subprocess.DEVNULL,
    )
    assert work.until((root / "half").exists)
    started.send_signal(end)
    assert started.wait() == code
    assert (root / "data" / "a_stage" / "x.json").read_text() == OLD
    if end != signal.SIGKILL:  # which leaves no time to clean up: the next run does
        assert outputs(root) == {"a_stage/x.json": OLD}
    assert shell.main(["a_stage"], root) == 0
    assert set(outputs(root)) == MADE
    assert artifacts.read_json(root / "data" / "a_stage" / "x.json") == {"size": 2, "y": 1}
