"""The copy of `make quick` is made and run under whatever git settings and owner there are."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.runtime import smoke
from pipeline.runtime.checkout import git
from runtime.test_smoke import FILES


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home whose .gitconfig a test may write, and hooks that refuse everything."""
    for name in ("pre-commit", "commit-msg", "prepare-commit-msg"):
        hook = tmp_path / "template" / "hooks" / name
        hook.parent.mkdir(parents=True, exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
    (tmp_path / "ignored").write_text("*.yaml\n*.lock\n.dvc\ndata\ntests\n")
    (tmp_path / "attributes").write_text("* filter=none\n")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "checkout"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", "-C", str(root), *command], check=True)
    return root


def made(checkout, copy):
    """Make the copy; return the files of its commit."""
    smoke.make_copy(checkout, smoke.repository_files(checkout), copy)
    return tracked(copy)


def tracked(copy):
    names = git.ask(copy, "ls-tree", "-r", "--name-only", "HEAD").decode().split()
    return {*names}


EXPECTED = FILES.keys() - {"ignored.txt"}


@pytest.mark.parametrize(
    "settings",
    [
        "[commit]\n gpgsign = true\n[tag]\n gpgsign = true\n[user]\n signingkey = NONE",
        "[commit]\n gpgsign = true\n[gpg]\n format = ssh\n[user]\n signingkey = /none",
        "[core]\n hooksPath = {folder}/template/hooks",
        "[init]\n templateDir = {folder}/template",
        "[init]\n templateDir = /none\n defaultBranch = not a name..",
        "[init]\n defaultObjectFormat = sha256\n defaultRefFormat = reftable",
        "[user]\n useConfigOnly = true\n[commit]\n template = {folder}/none\n verbose = true",
        "[core]\n autocrlf = true\n safecrlf = true",
        '[core]\n attributesFile = {folder}/attributes\n[filter "none"]\n clean = false',
        "[core]\n excludesFile = {folder}/ignored",
        "[core]\n splitIndex = true\n fsmonitor = /none\n[feature]\n manyFiles = true",
    ],
)
def test_no_setting_of_the_user_reaches_the_copy(checkout, home, tmp_path, settings):
    (home / ".gitconfig").write_text(settings.format(folder=tmp_path) + "\n")
    copy = tmp_path / "copy"
    assert made(checkout, copy) == EXPECTED
    assert not list((copy / ".git").glob("hooks/*"))
    assert (copy / "dvc.yaml").read_bytes() == (checkout / "dvc.yaml").read_bytes()


def test_no_variable_of_git_reaches_the_copy(checkout, home, tmp_path, monkeypatch):
    for name in ("DIR", "WORK_TREE", "INDEX_FILE", "AUTHOR_DATE", "DEFAULT_HASH", "CONFIG_GLOBAL"):
        monkeypatch.setenv(f"GIT_{name}", "nonsense")
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(tmp_path / "template"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "git").mkdir()
    (tmp_path / "git/config").write_text("[core]\n hooksPath = template/hooks\n")
    assert made(checkout, tmp_path / "copy") == EXPECTED


def test_dvc_runs_in_the_copy_under_a_list_that_ignores_its_files(checkout, home, tmp_path):
    (home / ".gitconfig").write_text(f"[core]\n excludesFile = {tmp_path}/ignored\n")
    smoke.run(checkout, tmp_path / "copy", lambda line: None)
    assert (tmp_path / "copy/data/where.json").is_file()


def test_a_checkout_of_another_owner_is_copied(checkout, tmp_path):
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    for path in [checkout, *checkout.rglob("*")]:
        os.chown(path, 65534, 65534)
    assert made(checkout, tmp_path / "copy") == EXPECTED


def test_a_merge_under_way_lists_each_file_once(checkout, tmp_path):
    blob = git.ask(checkout, "hash-object", "-w", "params.yaml").decode().strip()
    git.ask(checkout, "rm", "-q", "--cached", "params.yaml")
    sides = "".join(f"100644 {blob} {side}\tparams.yaml\n" for side in (1, 2, 3))
    subprocess.run(
        ["git", "-C", str(checkout), "update-index", "--index-info"], input=sides, text=True,
        check=True,
    )  # fmt: skip
    assert smoke.repository_files(checkout).count(Path("params.yaml")) == 1
    assert made(checkout, tmp_path / "copy") == EXPECTED


def test_a_name_in_another_encoding_is_copied(checkout, tmp_path):
    name = os.fsdecode(b"pipeline/\xe9.txt")
    try:
        (checkout / name).write_text("latin-1")
    except OSError:
        pytest.skip("this disk takes names in UTF-8 alone")
    assert Path(name) in smoke.repository_files(checkout)
    made(checkout, tmp_path / "copy")
    assert (tmp_path / "copy" / name).is_file()


def test_without_git_there_is_one_line(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("git") is None
    with pytest.raises(smoke.QuickError, match="git is not installed"):
        smoke.repository_files(checkout)
