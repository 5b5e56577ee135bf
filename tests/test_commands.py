"""The commands beside the stages, when tracking fails: what they say, and their exit codes."""

import socket

import pytest

from pipeline import commands
from pipeline.runtime import dag
from pipeline.runtime.compute import job
from pipeline.runtime.kept import store


@pytest.fixture
def root(tmp_path):
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    (tmp_path / "pipeline" / "stages").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def down(monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://me:geheim@127.0.0.1:{port}")
    return f"http://***@127.0.0.1:{port}"


def told(capsys):
    out, err = capsys.readouterr()
    assert "geheim" not in out + err
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_prepare_with_the_server_down_warns_and_ends_well(root, down, capsys):
    assert commands.run(["prepare"], root) == 0
    line = told(capsys)
    assert line.startswith(f"warning: prepare: no MLflow server answers at {down}")
    assert "Connection refused" in line
    assert "stages run all the same" in line


@pytest.mark.parametrize("uri", ["lab:5000", "databricks", "http://[::1", "/srv/mlruns"])
def test_prepare_with_an_address_that_is_none_warns_and_ends_well(root, monkeypatch, capsys, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert commands.run(["prepare"], root) == 0
    assert "expected http://HOST:PORT" in told(capsys)


def test_track_with_the_server_down_fails_and_with_warn_it_ends_well(root, down, capsys):
    assert commands.run(["track"], root) == 1
    assert told(capsys).startswith(f"error: track: no MLflow server answers at {down}")
    assert commands.run(["track", "--warn"], root) == 0
    line = told(capsys)
    assert line.startswith(f"warning: track: no MLflow server answers at {down}")
    assert "the results are complete" in line


def test_a_fault_of_another_kind_is_a_warning_too_at_the_end_of_a_repro(root, monkeypatch, capsys):
    def failing(*arguments):
        raise ZeroDivisionError("at last")

    monkeypatch.setattr(commands.backfill, "log_missing", failing)
    assert commands.run(["track", "--warn"], root) == 0
    assert "ZeroDivisionError: at last" in told(capsys)
    with pytest.raises(ZeroDivisionError):
        commands.run(["track"], root)


def test_an_error_is_told_in_full_and_without_secrets(root, monkeypatch, capsys):
    def failing(*arguments):
        raise commands.store.TrackingError("x" * 500 + " at http://me:geheim@lab/ END")

    process = object.__new__(commands.TrackingProcess)
    monkeypatch.setattr(commands.TrackingProcess, "record", failing)
    monkeypatch.setattr(commands.provenance, "from_workspace", failing)
    commands.track("a_stage", root, process, commands.Timing(0, 1))
    line = told(capsys)
    assert line.startswith("warning: a_stage: not tracked (xxx")
    assert "http://***@lab/ END" in line


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv(store.FOLDER, str(tmp_path / "cells"))
    found = store.configured()
    found.put("ab" * 32, b"result")
    return found


def test_cells_says_what_is_kept_and_clears_it(root, kept, capsys):
    assert commands.run(["cells"], root) == 0
    assert capsys.readouterr().out.startswith("1 finished cells are kept, 0.00 of at most 4 GiB")
    assert commands.run(["cells", "--clear"], root) == 0
    assert capsys.readouterr().out.startswith("0 finished cells are kept")
    assert kept.get("ab" * 32) is None


def test_cells_says_that_none_are_kept(root, monkeypatch, capsys):
    monkeypatch.setenv(store.FOLDER, "off")
    assert commands.run(["cells"], root) == 0
    assert capsys.readouterr().out == "finished cells are not kept: ATTENTION_LAB_CELLS=off\n"


@pytest.mark.parametrize(
    ("command", "name", "given"),
    [
        ("oscillator_data", store.FOLDER, "here"),
        ("oscillator_data", store.LIMIT, "much"),
        ("oscillator_data", job.WORKERS, "none"),
        ("cells", store.FOLDER, "here"),
        ("cells", store.LIMIT, "much"),
    ],
)
def test_a_wrong_word_in_the_environment_is_one_line_before_any_work(
    root, monkeypatch, capsys, command, name, given
):
    (root / "pipeline" / "stages" / "oscillator").mkdir()
    (root / "pipeline" / "stages" / "oscillator" / "data.py").touch()
    monkeypatch.setattr(commands.orphans, "end_with_dvc", lambda: None)
    monkeypatch.delenv(store.FOLDER)
    monkeypatch.setenv(name, given)
    assert commands.run([command], root) == 1
    assert told(capsys).startswith(f"error: {command}: {name} must be ")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"files": {"pipeline/runtime/compute/parallel.py": "ab"}}', True),
        ('{"files": {"pipeline/runtime/files.py": "ab"}}', False),
        ("[]", False),
        ("{", False),
        (None, False),
    ],
)
def test_a_stage_s_fingerprint_tells_whether_it_will_need_workers(root, content, expected):
    if content is not None:
        file = root / dag.code_file("any")
        file.parent.mkdir(parents=True)
        file.write_text(content)
    assert commands.maps_cells("any", root) is expected


@pytest.mark.parametrize("arguments", [["prepare"], ["track", "--warn"], ["track"]])
def test_what_a_killed_stage_left_is_swept(root, down, arguments):
    left = root / "data" / ".partial" / "oscillator_data"
    left.mkdir(parents=True)
    commands.run(arguments, root)
    assert not left.exists()
