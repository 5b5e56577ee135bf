"""The commands beside the stages, when tracking fails: what they say, and their exit codes."""

import socket

import pytest

from pipeline import commands


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
