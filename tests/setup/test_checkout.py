"""What a checkout must be, refused before anything is installed."""

import os
from pathlib import Path

import pytest

import checkout
from failure import SetupError
from setup.places import ODD_NAMES

REFUSED = {
    "a:b": "PATH cannot hold a colon",
    "50%": "MLflow reads a percent sign",
    "what?": "MLflow reads a question mark",
    "{a": "DVC reads a brace",
    "a}": "DVC reads a brace",
    "a\nb": "control character: rename",
    "a\tb": "control character",
    "a\x7fb": "control character",
    os.fsdecode(b"a\xff"): "is not UTF-8",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_what_a_tool_cannot_have_in_a_path_is_refused_in_one_line(folder: Path, name: str) -> None:
    with pytest.raises(SetupError, match=REFUSED[name]) as error:
        checkout.check(folder / name / "inside")
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_every_other_name_is_accepted(folder: Path, name: str) -> None:
    checkout.check(folder / name)


def test_an_archive_without_git_is_told_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda _: False)  # whatever stands around tmp_path
    with pytest.raises(SetupError, match="git init && git add -A && git commit -m"):
        checkout.check(tmp_path)


def test_the_link_file_of_a_worktree_or_submodule_is_git(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: ../elsewhere\n")
    checkout.check(tmp_path)


def test_dvc_without_git_is_the_users_choice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    monkeypatch.setattr(Path, "exists", lambda _: False)
    checkout.check(tmp_path)


def test_git_must_be_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(SetupError, match="git is not installed"):
        checkout.check(folder)


@pytest.mark.parametrize("name", ["data", ".dvc", "data/oscillator_data"])
def test_a_folder_that_is_a_link_is_refused(folder: Path, name: str) -> None:
    disk = folder / "disk"
    disk.mkdir()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).symlink_to(disk)
    with pytest.raises(SetupError, match=rf"{name} is a link to .*disk, with which stages fail: "):
        checkout.check(folder)


def test_a_cache_that_is_a_link_is_accepted(folder: Path) -> None:
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "cache").symlink_to(folder)
    checkout.check(folder)
