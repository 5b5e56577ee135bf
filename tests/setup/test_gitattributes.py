"""Text has the same bytes in every checkout, whatever git is told to do with line ends."""

import subprocess
from pathlib import Path

import pytest

from pipeline.__main__ import ROOT

AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@localhost")
FILES = {
    "params.yaml": b"a: 1\n",
    "data/reference/a.csv": b"1,2\n",
    ".ci/run": b"#!/bin/sh\n",
    "docs/a.png": b"\x89PNG\r\n\x1a\n\x00",
    "data/x.npz": b"text\r\nthat only looks like it\n",
}
SETTINGS = [
    ("core.autocrlf=true", "core.safecrlf=true"),
    ("core.autocrlf=false", "core.eol=crlf"),
    ("filter.shout.smudge=tr a-z A-Z", "core.attributesFile=ATTRIBUTES"),
]


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *AUTHOR, *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda pair: pair[0])
def test_a_clone_has_the_bytes_that_were_committed(
    tmp_path: Path, settings: tuple[str, ...]
) -> None:
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "-q")
    for name, content in {
        **FILES,
        ".gitattributes": (ROOT / ".gitattributes").read_bytes(),
    }.items():
        (origin / name).parent.mkdir(parents=True, exist_ok=True)
        (origin / name).write_bytes(content)
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "all")
    (tmp_path / "attributes").write_text("* filter=shout\n")
    options = [word.replace("ATTRIBUTES", str(tmp_path / "attributes")) for word in settings]
    git(
        tmp_path,
        *(word for option in options for word in ("-c", option)),
        "clone",
        "-q",
        "origin",
        "clone",
    )
    assert {name: (tmp_path / "clone" / name).read_bytes() for name in FILES} == FILES


def test_no_file_of_the_repository_has_carriage_returns() -> None:
    listed = git(ROOT, "ls-files", "--eol")
    assert [line for line in listed.splitlines() if line.split()[0] in ("i/crlf", "i/mixed")] == []
