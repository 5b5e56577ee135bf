"""Folders and programs for the tests of the set-up."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from pipeline.__main__ import ROOT

BASE = getattr(sys, "_base_executable", sys.executable)
# Spaces, quotes, a variable, a comment, patterns, other alphabets, a leading dash and dot.
ODD_NAMES = (
    *("a space", " ends ", "it's", 'say "x"', "$HOME", "#1", "a&b;c|d", "(1) [2]", "back\\slash"),
    *("`date`", "*", "!x", "~", "a=b,c@d+e", "-dash", ".dot", "é中🙂e\u0301", "x" * 200),
)


def script(file: Path, text: str) -> Path:
    """Write a program of sh."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def fake_python(file: Path, change: str) -> Path:
    """Write a Python that is this one but for what ``change`` sets before the code that it runs."""
    code = shlex.quote(f"import sys; {change}; exec(sys.argv[1])")
    return script(file, f'exec {shlex.quote(BASE)} -E -s -c {code} "$4"')


def checkout(folder: Path) -> Path:
    """Make a folder with what the Makefile reads."""
    folder.mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / ".make", folder / ".make", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".git").mkdir()
    (folder / "data").mkdir()
    return folder


def make(
    folder: Path, *arguments: str, **variables: str | None
) -> "subprocess.CompletedProcess[str]":
    """Run make as a user's shell would, without what the make around the tests has set."""
    mine = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON", "TORCH", "PORT")
    env = {name: value for name, value in os.environ.items() if name not in mine}
    for name, value in variables.items():
        env.pop(name, None)
        if value is not None:
            env[name] = value
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
