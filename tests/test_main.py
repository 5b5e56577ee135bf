"""The shell: outputs appear together or not at all, and what a user can mend is one line."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import work
from pydantic import Field

from pipeline import __main__ as shell
from pipeline import commands
from pipeline.config import Section, StageParams
from pipeline.runtime import artifacts, locks, provenance
from pipeline.runtime.artifacts import ArtifactError
from pipeline.runtime.provenance import Execution
from pipeline.tracking.circumstances import Timing

DVC = """
stages:
  a_stage:
    cmd: python -m pipeline a_stage
    params: [lab.part]
    outs: [data/a_stage/x.json]
    metrics:
      - data/a_stage/metrics.json: {cache: false}
"""
OLD = "what the last run left\n"


class Part(Section):
    size: Annotated[int, Field(ge=1)]


class Params(StageParams):
    part: Part = Field(alias="lab.part")


def make(params: Params, inputs: Path, out: Path) -> dict[str, Any]:
    artifacts.write_json(out / "x.json", {"size": params.part.size})
    return {"O3": {"gamma_0": {"error": 1e-5}}}


def stage(run: Callable[..., Any]) -> Callable[[str], SimpleNamespace]:
    return lambda name: SimpleNamespace(Params=Params, run=run)


def failing(error: BaseException) -> Callable[..., Any]:
    """A stage that ends after half its work."""

    def run(params: Params, inputs: Path, out: Path) -> None:
        make(params, inputs, out)
        raise error

    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository of one stage, with the outputs of an earlier run."""
    (tmp_path / "pipeline" / "stages").mkdir(parents=True)
    (tmp_path / "pipeline" / "stages" / "a_stage.py").touch()
    (tmp_path / "dvc.yaml").write_text(DVC)
    (tmp_path / "params.yaml").write_text("lab: {part: {size: 2}}\n")
    (tmp_path / "data" / "a_stage").mkdir(parents=True)
    (tmp_path / "data" / "a_stage" / "x.json").write_text(OLD)
    return tmp_path


class Process(AbstractContextManager[Any]):
    """In place of the process that logs: ``record`` is told the execution."""

    def __init__(self, record: Callable[[Execution], object]):
        self.told = record

    def record(self, execution: Execution, timing: Timing) -> None:
        assert 0 <= timing.started_ms <= timing.ended_ms
        self.told(execution)

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Execution]]:
    """The executions that went to tracking; this process stays as it is."""
    executions: list[Execution] = []
    monkeypatch.setattr(shell, "stage_module", stage(make))
    monkeypatch.setattr(locks, "end_with_parent", lambda: None)
    monkeypatch.setattr(commands, "TrackingProcess", lambda root: Process(executions.append))
    before = signal.getsignal(signal.SIGTERM)
    yield executions
    signal.signal(signal.SIGTERM, before)


def files(root: Path) -> dict[str, str]:
    """All that lies under data/, but for the locks."""
    return {
        path.relative_to(root / "data").as_posix(): path.read_text()
        for path in (root / "data").rglob("*")
        if path.is_file() and ".locks" not in path.parts
    }


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that the user sees."""
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err[-1:]) == ("", 1, "\n")
    return err.rstrip()


def test_a_stage_leaves_its_outputs_its_metrics_and_a_record(
    root: Path, recorded: list[Execution], capsys: pytest.CaptureFixture[str]
) -> None:
    assert shell.main(["a_stage"], root) == 0
    assert set(files(root)) == {"a_stage/x.json", "a_stage/metrics.json"}
    assert artifacts.read_json(root / "data" / "a_stage" / "x.json") == {"size": 2}
    assert [execution.outs for execution in recorded] == [
        {
            path: provenance.md5(root / path)
            for path in ("data/a_stage/x.json", "data/a_stage/metrics.json")
        }
    ]
    assert capsys.readouterr() == ("", "")


def test_bad_params_are_one_line_and_change_nothing(
    root: Path, recorded: list[Execution], capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "params.yaml").write_text("lab: {part: {size: 0}}\n")
    assert shell.main(["a_stage"], root) == 1
    assert complaint(capsys) == "error: a_stage: params.yaml: lab.part.size must be >= 1, got 0"
    assert files(root) == {"a_stage/x.json": OLD}
    assert recorded == []


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            ArtifactError(Path("data/other/y.npz"), "is missing"),
            1,
            "error: a_stage: other/y.npz: is missing; remake it: dvc repro -f -s other",
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
    monkeypatch.setattr(shell, "stage_module", stage(failing(error)))
    assert shell.main(["a_stage"], root) == code
    assert complaint(capsys).startswith(message)
    assert files(root) == {"a_stage/x.json": OLD}
    assert recorded == []


def measure_nothing(params: Params, inputs: Path, out: Path) -> dict[str, Any]:
    make(params, inputs, out)
    return {"O3": {"gamma_0": {"error": float("nan")}}}


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (failing(ZeroDivisionError("a bug")), "a bug"),
        (measure_nothing, r"metrics\.json: O3\.gamma_0\.error is nan"),
    ],
)
def test_a_fault_of_the_code_shows_its_traceback_and_leaves_nothing_half_made(
    root: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[..., Any], message: str
) -> None:
    monkeypatch.setattr(shell, "stage_module", stage(run))
    with pytest.raises((ZeroDivisionError, ValueError), match=message):
        shell.main(["a_stage"], root)
    assert files(root) == {"a_stage/x.json": OLD}


def test_a_folder_that_cannot_be_written_is_one_line(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "data" / ".partial").touch()  # a file where a folder should be, so that root fails too
    assert shell.main(["a_stage"], root) == 1
    assert complaint(capsys).startswith("error: a_stage: cannot read or write: ")
    (root / "data" / ".partial").unlink()
    assert files(root) == {"a_stage/x.json": OLD}


def test_a_failure_to_track_costs_a_warning_and_no_result(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(execution: Execution) -> None:
        assert set(files(root)) == {"a_stage/x.json", "a_stage/metrics.json"}  # complete by now
        raise RuntimeError("the server\ndoes not answer")

    monkeypatch.setattr(commands, "TrackingProcess", lambda root: Process(unreachable))
    assert shell.main(["a_stage"], root) == 0
    found = complaint(capsys)
    assert found.startswith("warning: a_stage: not tracked (RuntimeError: the server does not ans")
    assert "`python -m pipeline track`" in found
    assert artifacts.read_json(root / "data" / "a_stage" / "x.json") == {"size": 2}


def test_a_stage_that_another_process_makes_is_one_line(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.2)
    with locks.exclusive_lock(root / "data" / ".locks" / "a_stage", "a_stage"):
        assert shell.main(["a_stage"], root) == 1
    assert complaint(capsys).startswith("error: a_stage: a_stage is being made by process ")
    assert files(root) == {"a_stage/x.json": OLD}


HALF = """
import signal, sys, time
from pathlib import Path
import test_main
from pipeline import __main__ as shell, commands
def half(params, inputs, out):
    test_main.make(params, inputs, out)
    (inputs / ".." / "half").touch()
    time.sleep(60)
shell.stage_module = test_main.stage(half)
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
        assert files(root) == {"a_stage/x.json": OLD}
    assert shell.main(["a_stage"], root) == 0
    assert set(files(root)) == {"a_stage/x.json", "a_stage/metrics.json"}
    assert artifacts.read_json(root / "data" / "a_stage" / "x.json") == {"size": 2}
