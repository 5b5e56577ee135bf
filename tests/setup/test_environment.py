"""When .venv is ready, brought up to date, or made anew."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import environment
import packages
from failure import SetupError
from pipeline.__main__ import ROOT
from setup.places import script

MINOR = "{}.{}".format(*sys.version_info)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TORCH", "")
    return tmp_path


def venv(folder: Path, version: str = MINOR, pip: int = 0) -> None:
    """Make a .venv whose Python only tells its version, and whether it has a pip."""
    answer = f'case "$*" in *ensurepip*) exit {pip} ;; *version*) echo {version} ;; esac'
    script(folder / ".venv" / "bin" / "python", answer)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for what costs minutes; tells which builds of torch were installed."""
    builds: list[str] = []

    def make_venv(command: list[object]) -> object:
        if "venv" in command:
            venv(Path.cwd())
            return subprocess.CompletedProcess(command, 0, "", "")
        return real(command)

    real = packages.run
    monkeypatch.setattr(packages, "run", make_venv)
    monkeypatch.setattr(packages, "install", lambda _, build: builds.append(build))
    return builds


def test_a_fresh_checkout_gets_an_environment_once(folder: Path, installed: list[str]) -> None:
    assert [environment.main(), environment.main()] == [0, 0]
    assert installed == ["cpu"]
    made = json.loads((folder / ".venv" / ".ready").read_text())
    assert (made["python"], made["torch"], made["path"]) == (MINOR, "cpu", str(folder))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("requirements.lock", "tqdm==", "tqdm==9"),
        (
            "pyproject.toml",
            "[project.entry-points",
            "[project.scripts]\na='b:c'\n[project.entry-points",
        ),
    ],
)
def test_a_change_of_what_is_installed_installs_it(
    folder: Path, installed: list[str], file: str, old: str, new: str
) -> None:
    environment.main()
    (folder / file).write_text((folder / file).read_text().replace(old, new))
    assert environment.main() == 0
    assert len(installed) == 2


def test_a_new_date_or_another_setting_installs_nothing(folder: Path, installed: list[str]) -> None:
    environment.main()
    text = (folder / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(text.replace("line-length = 100", "line-length = 99"))
    lock = (folder / "requirements.lock").read_bytes()
    (folder / "requirements.lock").write_bytes(lock.replace(b"\n", b"\r\n"))
    environment.main()
    assert len(installed) == 1


def test_torchs_build_stays_until_another_is_named(
    folder: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for build in ("cuda", "", "cpu", ""):
        monkeypatch.setenv("TORCH", build)
        assert environment.main() == 0
    assert installed == ["cuda", "cpu"]


def test_an_environment_that_was_cut_short_is_made_anew(
    folder: Path,
    installed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(packages, "install", full)
        assert environment.main() == 1
    assert "No space left on device" in capsys.readouterr().err
    (folder / ".venv" / "half").touch()
    assert environment.main() == 0
    assert ".venv was not finished: making it anew" in capsys.readouterr().out
    assert not (folder / ".venv" / "half").exists()
    assert not (folder / ".venv" / ".unfinished").exists()


@pytest.mark.parametrize(
    ("version", "pip", "reason"),
    [("3.1", 0, "is of Python 3.1, and"), ("", 0, "has no Python that runs"), (MINOR, 1, "no pip")],
)
def test_an_environment_that_cannot_serve_is_made_anew(
    folder: Path,
    installed: list[str],
    capsys: pytest.CaptureFixture,
    version: str,
    pip: int,
    reason: str,
) -> None:
    venv(folder, version, pip)
    (folder / ".venv" / "old").touch()
    assert environment.main() == 0
    assert reason in capsys.readouterr().out
    assert not (folder / ".venv" / "old").exists()


def test_an_environment_whose_python_is_gone_is_made_anew(
    folder: Path, installed: list[str]
) -> None:
    environment.main()
    (folder / ".venv" / "bin" / "python").unlink()
    (folder / ".venv" / "bin" / "python").symlink_to("/gone/python3.11")
    assert environment.main() == 0
    assert len(installed) == 2


def test_an_environment_of_the_users_own_is_kept(folder: Path, installed: list[str]) -> None:
    venv(folder)
    (folder / ".venv" / "mine").touch()
    assert environment.main() == 0
    assert (folder / ".venv" / "mine").exists()
    assert len(installed) == 1


def test_the_other_end_of_a_link_is_not_removed(
    folder: Path, installed: list[str], capsys: pytest.CaptureFixture
) -> None:
    (folder / "disk").mkdir()
    (folder / ".venv").symlink_to("disk")
    assert environment.main() == 1
    assert "it is a link to disk: remove the link, or what it points to" in capsys.readouterr().err
    assert (folder / "disk").exists()


def test_a_full_disk_is_seen_before_anything_is_made(
    folder: Path,
    installed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    usage = shutil.disk_usage(folder)._replace(free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert environment.main() == 1
    assert "the environment needs 2.5 GB, and 1.0 GB are free" in capsys.readouterr().err
    assert not (folder / ".venv").exists()


def test_a_python_without_venv_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", str(script(folder / "python", "echo 'no venv'; exit 1")))
    assert environment.main() == 1
    assert capsys.readouterr().err.strip().endswith("cannot make .venv: no venv")


def test_a_moved_checkout_is_mended(
    folder: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.main()
    moved = folder.rename(folder.with_name("moved"))
    monkeypatch.chdir(moved)
    assert environment.main() == 0
    assert len(installed) == 1
    assert environment.record()["path"] == str(moved)


def test_one_make_at_a_time_installs(folder: Path) -> None:
    import fcntl

    with environment.alone(), environment.LOCK.open("a") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_setup_error_is_one_line_and_a_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("TORCH", "gpu")
    assert environment.main() == 1
    assert capsys.readouterr().err == "error: TORCH=gpu: must be cpu or cuda\n"
    assert issubclass(SetupError, RuntimeError)
