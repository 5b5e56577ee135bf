"""Which Python makes .venv, and what is said of one that cannot."""

import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from pipeline.__main__ import ROOT
from setup.places import BASE, ODD_NAMES, fake_python, script

FIND = ROOT / ".make" / "find_python.sh"
TOOLS = "/usr/bin:/bin"
REFUSED = {
    "sys.version_info = (3, 10, 4)": "is Python 3.10",
    "sys.version_info = (3, 14, 0)": "is Python 3.14",
    "sys.version_info = (2, 7, 18)": "is Python 2.7",
    'sys.version = "3.11 [PyPy 7.3]"': "is PyPy",
    "sys.maxsize = 2**31 - 1": "is a 32-bit Python",
    "sys._is_gil_enabled = lambda: False": "is a free-threaded Python",
    "sys.modules['ensurepip'] = None": "has no module ensurepip; Debian and Ubuntu have it in",
    "sys.modules['sqlite3'] = None": "was built without the module sqlite3",
}


def find(folder: Path, path: Path | None = None, **variables: str) -> tuple[int, str]:
    # sh and the tools that it runs, and no Python but the given ones
    tools = folder / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("tail", "head"):
        if not (tools / name).exists():
            (tools / name).symlink_to(f"/usr/bin/{name}")
    env = {"PATH": os.pathsep.join([*([str(path)] if path else []), str(tools)]), **variables}
    done = subprocess.run(
        ["/bin/sh", str(FIND)], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("change", REFUSED)
def test_a_python_that_does_not_serve_is_refused_in_one_line(tmp_path: Path, change: str) -> None:
    python = fake_python(tmp_path / "bin" / "python", change)
    code, said = find(tmp_path, PYTHON=str(python))
    assert code == 1
    assert said.count("\n") == 0
    assert said.startswith(f"error: PYTHON={python} {REFUSED[change]}")
    assert "3.11, 3.12 or 3.13" in said


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_python_of_any_path_is_taken(tmp_path: Path, name: str) -> None:
    python = fake_python(tmp_path / name / "python", "sys.version_info = (3, 12, 1)")
    assert find(tmp_path, PYTHON=str(python)) == (0, BASE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("echo 'pyenv: no such version' >&2; exit 127", "(pyenv: no such version)"),
        ("exit 0", "run"),
    ],
)
def test_a_program_that_is_no_python_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    code, said = find(tmp_path, PYTHON=str(script(tmp_path / "python", text)))
    assert code == 1
    assert "does not run as a Python" in said
    assert reason in said
    assert said.count("\n") == 0


def test_a_name_of_no_program_is_refused(tmp_path: Path) -> None:
    code, said = find(tmp_path, PYTHON="nonsense")
    assert (code, said.split(";")[0]) == (1, "error: PYTHON=nonsense: there is no such program")


def test_no_python_at_all(tmp_path: Path) -> None:
    code, said = find(tmp_path)
    assert code == 1
    assert said.startswith("error: no Python 3.11, 3.12 or 3.13 is found; install one")


def test_python_3_11_goes_before_newer_ones_and_what_was_seen_is_told(tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    fake_python(programs / "python3", "sys.version_info = (3, 9, 2)")
    assert find(tmp_path, programs)[1].startswith(
        "error: no Python 3.11, 3.12 or 3.13 is found (python3 is Python 3.9)"
    )
    for minor in (13, 12, 11):
        change = f"sys.version_info, sys._base_executable = (3, {minor}, 0), '/a/{minor}'"
        fake_python(programs / f"python3.{minor}", change)
        assert find(tmp_path, programs) == (0, f"/a/{minor}")


def test_the_python_of_the_environment_stays_unless_another_is_named(tmp_path: Path) -> None:
    fake_python(tmp_path / ".venv" / "bin" / "python", "sys._base_executable = '/a/base'")
    other = fake_python(tmp_path / "other", "sys._base_executable = '/another'")
    assert find(tmp_path) == (0, "/a/base")
    assert find(tmp_path, PYTHON=str(other)) == (0, "/another")


def test_an_environment_whose_python_is_gone_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to("/gone/python")
    fake_python(tmp_path / "programs" / "python3.12", "sys._base_executable = '/a/12'")
    assert find(tmp_path, tmp_path / "programs") == (0, "/a/12")


def test_a_foreign_environment_in_the_variables_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "ssl.py").write_text("raise SystemExit('not this one')")
    python = fake_python(tmp_path / "python", "pass")
    odd = {"PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nowhere", "VIRTUAL_ENV": "/nowhere"}
    assert find(tmp_path, PYTHON=str(python), **odd) == (0, BASE)


def test_pyproject_accepts_the_same_versions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["requires-python"] == ">=3.11,<3.14"
    assert project["tool"]["mypy"]["python_version"] == "3.11"
    assert project["tool"]["ruff"]["target-version"] == "py311"
