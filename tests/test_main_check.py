"""The shell checks all of params.yaml, as a command and as the stage before all others."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_main import Process

from pipeline import __main__ as shell
from pipeline import commands, config
from pipeline.runtime import dag, locks

COMMANDS = pytest.mark.parametrize("command", ["check", "check_params"])
TEXT = (shell.ROOT / config.FILE).read_text(encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository with the real stages; this process stays as it is."""
    monkeypatch.setattr(locks, "end_with_parent", lambda: None)
    monkeypatch.setattr(commands, "TrackingProcess", lambda root: Process(lambda execution: None))
    for name in ("pipeline", "dvc.yaml", "requirements.lock"):
        (tmp_path / name).symlink_to(shell.ROOT / name)
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path
    signal.signal(signal.SIGTERM, before)


@COMMANDS
def test_the_real_params_pass(root: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    (root / config.FILE).write_text(TEXT, encoding="utf-8")
    assert shell.main([command], root) == 0
    assert capsys.readouterr() == ("", "")
    written = {file.stem for file in (root / "data" / "check_params" / "code").glob("*")}
    stages = set(dag.stage_names(shell.ROOT)) - {dag.CHECK}
    assert written == (stages if command == "check_params" else set())


@COMMANDS
@pytest.mark.parametrize(
    ("line", "spoilt", "message"),
    [
        (
            "    batch_size: 256   # windows",
            "    batch_size: 0   # windows",
            "oscillator.train_fixed.training.batch_size must be >= 1, got 0 (it stands at "
            "presets.cosine.batch_size)",
        ),
        ("  cosine:\n", "  cosin:\n", "oscillator.train_fixed.training.preset: there is no preset"),
        ("    dt: 0.1 ", "    dt: -0.1 ", "oscillator.task.dt must be >= 1e-06, got -0.1"),
        ("    dt: 0.1 ", "    td: 0.1 ", "oscillator.task.dt is missing"),
        ("  measure:", "  measured:", "oscillator.measure is missing"),
    ],
)
def test_a_fault_anywhere_is_one_line(
    root: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    line: str,
    spoilt: str,
    message: str,
) -> None:
    assert line in TEXT
    (root / config.FILE).write_text(TEXT.replace(line, spoilt, 1), encoding="utf-8")
    assert shell.main([command], root) == 1
    found = capsys.readouterr().err
    assert found.startswith(f"error: {command}: params.yaml: {message}")
    assert found.count("\n") == 1
    assert not (root / "data" / "check_params").exists()


def test_an_unknown_command_is_refused_with_the_known_ones(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        shell.main(["no_stage"], root)
    assert ended.value.code == 2
    assert "oscillator_data" in capsys.readouterr().err
