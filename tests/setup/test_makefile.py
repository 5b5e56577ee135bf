"""make, in folders of odd names and among foreign variables; the environment only tells."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import environment
from pipeline.__main__ import ROOT
from setup.places import BASE, ODD_NAMES, checkout, make, script

FOREIGN = {
    **dict.fromkeys(("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "PYTHONSAFEPATH"), "/elsewhere"),
    **dict.fromkeys(("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"), "/elsewhere"),
}


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return ready_in(tmp_path / "lab", monkeypatch)


def ready_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a checkout with an environment whose Python runs the set-up, and else tells."""
    checkout(folder)
    tell = (
        'case "$1" in -E | -I) exec "$REAL" "$@" ;; esac\n'
        'printf "%s\\n" "$*" >> told; env >> told; test "$PWD" != / && command -v python >> told'
    )
    script(folder / ".venv" / "bin" / "python", f"REAL='{BASE}'\n{tell}")
    for name in ("ruff", "lint-imports"):
        script(folder / ".venv" / "bin" / name, "exit 0")
    monkeypatch.chdir(folder)
    how = {
        "requirements": environment.requirements_digest(),
        "python": environment.WANTED,
        "torch": "cpu",
        "path": os.fspath(folder),
    }
    (folder / ".venv" / ".ready").write_text(json.dumps(how))
    return folder


@pytest.mark.parametrize("name", ODD_NAMES)
def test_every_stage_finds_the_python_of_its_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = ready_in(tmp_path / name, monkeypatch)
    done = make(folder, "-j4", "repro", **FOREIGN)
    assert done.returncode == 0, done.stderr
    told = (folder / "told").read_text().splitlines()
    commands = [line for line in told if line.startswith("-m ")]
    assert commands == ["-m pipeline prepare", "-m dvc repro", "-m pipeline track --warn"]
    assert told.count(str(folder / ".venv" / "bin" / "python")) == 3
    assert not [line for line in told if line.endswith("=/elsewhere")]


def test_a_failing_repro_is_a_failure_and_a_failing_prepare_is_none(ready: Path) -> None:
    python = ready / ".venv" / "bin" / "python"
    text = python.read_text()
    for command, code in (("pipeline prepare", 0), ("dvc repro", 2), ("pipeline track --warn", 2)):
        python.write_text(f'{text}\n[ "$*" != "-m {command}" ]\n')
        assert make(ready, "repro").returncode == code


def test_a_value_is_given_as_it_is(ready: Path) -> None:
    assert make(ready, "ui", 'PORT=5001; "`touch x`').returncode == 0
    assert '-m pipeline ui --port 5001; "`touch x`' in (ready / "told").read_text()
    assert not (ready / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["PYTHON=nonsense"], "error: PYTHON=nonsense: there is no such program"),
        (["TORCH=gpu"], "error: TORCH=gpu: must be cpu or cuda"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    folder = checkout(tmp_path / "lab")
    before = sorted(folder.rglob("*"))
    done = make(folder, "repro", *arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith(message)
    assert sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts) == before


@pytest.mark.parametrize("name", ["50%", "what?", "a\nb"])
def test_a_path_that_cannot_work_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    done = make(checkout(tmp_path / name), "lint")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert not (tmp_path / name / ".venv").exists()


def test_make_from_another_folder(ready: Path, tmp_path: Path) -> None:
    done = make(tmp_path, "-C", "lab", "track")
    assert done.returncode == 0
    done = make(tmp_path, "-f", "lab/Makefile", "track")
    assert "run make in the folder of the checkout, or make -C FOLDER" in done.stderr


def test_help_names_every_target() -> None:
    told = {line.split()[0] for line in make(ROOT, "help").stdout.splitlines()}
    text = (ROOT / "Makefile").read_text()
    (phony,) = (line for line in text.splitlines() if line.startswith(".PHONY:"))
    assert told == set(phony.removeprefix(".PHONY:").split())


def test_the_makefile_has_no_feature_that_make_3_81_lacks() -> None:
    text = (ROOT / "Makefile").read_text()
    for newer in ("::=", "!=", ".ONESHELL", "$(file ", ".RECIPEPREFIX", "undefine", "private "):
        assert newer not in text


@pytest.mark.skipif(sys.platform != "linux", reason="sh is dash or bash as posix")
def test_the_script_is_posix() -> None:
    subprocess.run(["sh", "-n", ROOT / ".make" / "find_python.sh"], check=True)
