"""The commit of a run, and whether it is dirty: only what can change a result counts."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.runtime.checkout import git
from pipeline.tracking import circumstances
from pipeline.tracking.circumstances import commit_tags

FILES = {
    "pipeline/config.py": "a = 1\n",
    "pipeline/labs/lab.py": "b = 2\n",
    "params.yaml": "a: 1\n",
    "dvc.yaml": "stages: {}\n",
    "dvc.lock": "schema: '2.0'\n",
    "requirements.lock": "torch==2\n",
    "pyproject.toml": "[project]\n",
    "README.md": "hello\n",
    "tests/test_a.py": "\n",
    "data/a/metrics.json": "{}\n",
    "data/reference/published.csv": "1\n",
    ".gitignore": "__pycache__/\n/data/*/*\n!/data/*/metrics.json\n!/data/reference/**\n",
}


def run_git(root, *arguments, **options):
    author = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", "-C", str(root), *author, *arguments],
        check=options.pop("check", True),
        capture_output=True,
        text=True,
        env=git.environment(),
        **options,
    ).stdout.strip()


def write(root, name, text):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.fixture(scope="module")
def committed(tmp_path_factory):
    root = tmp_path_factory.mktemp("committed") / "checkout"
    for name, text in FILES.items():
        write(root, name, text)
    run_git(root, "init", "-q", "-b", "main")
    run_git(root, "add", "-A")
    run_git(root, "commit", "-q", "-m", "a")
    return root


@pytest.fixture
def root(committed, tmp_path):
    circumstances._unanswered.clear()
    return Path(shutil.copytree(committed, tmp_path / "checkout"))


def dirty(root):
    return commit_tags(root)["dirty"]


@pytest.mark.parametrize(
    "name",
    [
        "nohup.out",
        "notes.txt",
        "notebook.py",
        "README.md",
        "tests/test_a.py",
        "tests/test_b.py",
        "docs/a.md",
        "pyproject.toml",
        ".DS_Store",
        ".vscode/settings.json",
        "dvc.lock",
        "data/a/metrics.json",
        "data/a/table.csv",
        "params.yaml.orig",
        "pipeline/.DS_Store",
        "pipeline/.config.py.swp",
        "pipeline/.#config.py",
        "pipeline/config.py~",
        "pipeline/config.py.orig",
        "pipeline/config copy.py",
        "pipeline/notes.md",
        "pipeline/__pycache__/config.cpython-311.pyc",
        "pipeline/.ipynb_checkpoints/config.py",
    ],
)
def test_what_changes_no_result_is_not_dirty(root, name):
    write(root, name, "changed\n")
    assert dirty(root) == "false"


@pytest.mark.parametrize(
    "name",
    [
        "params.yaml",
        "dvc.yaml",
        "requirements.lock",
        "pipeline/config.py",
        "pipeline/labs/lab.py",
        "pipeline/labs/new.py",
        "pipeline/new/lab.py",
        "pipeline/fast.so",
        "data/reference/published.csv",
    ],
)
def test_what_can_change_a_result_is_dirty(root, name):
    write(root, name, "changed\n")
    assert dirty(root) == "true"


def test_a_deleted_or_renamed_module_is_dirty(root):
    (root / "pipeline/config.py").rename(root / "pipeline/renamed.py")
    assert dirty(root) == "true"


def test_an_ignored_module_that_python_can_import_is_dirty(root):
    write(root, ".git/info/exclude", "*.py\n")
    write(root, "pipeline/hidden.py", "")
    assert dirty(root) == "true"


def test_times_and_modes_are_no_change(root):
    os.utime(root / "params.yaml", (1, 1))
    (root / "pipeline/config.py").chmod(0o755)
    assert dirty(root) == "false"


def test_the_files_count_and_not_what_is_staged_or_marked(root):
    write(root, "params.yaml", "a: 2\n")
    run_git(root, "add", "params.yaml")
    assert dirty(root) == "true"
    write(root, "params.yaml", "a: 1\n")  # staged, and taken back
    assert dirty(root) == "false"
    run_git(root, "reset", "-q")
    run_git(root, "update-index", "--assume-unchanged", "params.yaml")
    write(root, "params.yaml", "a: 3\n")
    assert dirty(root) == "true"


def test_a_merge_under_way_counts_where_it_touches_code(root):
    for branch, text in (("one", "1\n"), ("two", "2\n")):
        run_git(root, "checkout", "-q", "-b", branch, "main")
        write(root, "README.md", text)
        run_git(root, "commit", "-q", "-a", "-m", branch)
    run_git(root, "merge", "one", check=False)
    assert "<<<<<<<" in (root / "README.md").read_text()
    assert dirty(root) == "false"
    write(root, "params.yaml", "<<<<<<< HEAD\n")
    assert dirty(root) == "true"


def test_nothing_is_written_and_a_lock_of_git_does_not_matter(root):
    os.utime(root / "params.yaml", (1, 1))
    before = (root / ".git/index").read_bytes()
    write(root, ".git/index.lock", "")
    assert dirty(root) == "false"
    assert (root / ".git/index").read_bytes() == before


def test_variables_and_settings_of_the_user_lead_nowhere_else(root, tmp_path, monkeypatch):
    commit = run_git(root, "rev-parse", "HEAD")
    other = tmp_path / "other"
    run_git(tmp_path, "init", "-q", str(other))
    marker = tmp_path / "called"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {marker}\n")
    program.chmod(0o755)
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f"[core]\n fsmonitor = {program}\n hooksPath = {tmp_path}\n quotePath = true\n"
        f"[diff]\n external = {program}\n renames = copies\n[color]\n ui = always\n"
        "[status]\n showUntrackedFiles = no\n[core]\n excludesFile = /dev/null\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text(settings.read_text())
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(other))
    for name in ("LC_ALL", "LANGUAGE"):
        monkeypatch.setenv(name, "de_DE.UTF-8")
    assert commit_tags(root) == {
        "commit": commit,
        "mlflow.source.git.commit": commit,
        "dirty": "false",
    }
    write(root, "pipeline/ä.py", "")
    assert dirty(root) == "true"
    assert not marker.exists()


def test_line_ends_that_git_would_write_are_no_change(root, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".gitconfig").write_text("[core]\n autocrlf = true\n")
    (root / "params.yaml").write_bytes(b"a: 1\r\n")
    assert dirty(root) == "false"


def test_a_worktree_and_a_folder_of_a_larger_repository_have_a_commit(root, tmp_path):
    run_git(root, "worktree", "add", "-q", str(tmp_path / "worktree"))
    assert dirty(tmp_path / "worktree") == "false"
    whole = tmp_path / "whole"
    shutil.copytree(root, whole / "lab", ignore=lambda folder, names: {".git"} & {*names})
    run_git(whole, "init", "-q")
    run_git(whole, "add", "-A")
    run_git(whole, "commit", "-q", "-m", "a")
    write(whole, "pipeline/other.py", "not ours")
    assert dirty(whole / "lab") == "false"
    write(whole, "lab/params.yaml", "a: 2\n")
    assert dirty(whole / "lab") == "true"


def fake_git(folder, monkeypatch, script):
    """Put a program named git before git; it hands on what the script does not end."""
    real = shutil.which("git")
    (folder / "bin").mkdir()
    (folder / "bin/git").write_text(f'#!/bin/sh\n{script}\nexec {real} "$@"\n')
    (folder / "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")


def test_a_git_that_hangs_costs_a_warning(root, monkeypatch, capsys):
    run = subprocess.run

    def hang(command, **options):
        if "diff" in command:
            raise subprocess.TimeoutExpired(command, options["timeout"])
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", hang)
    tags = commit_tags(root)
    assert (len(tags["commit"]), tags["dirty"]) == (40, "unknown")
    monkeypatch.setattr(subprocess, "run", None)
    assert commit_tags(root) == tags, "it is not asked again"
    assert capsys.readouterr().err == (
        "warning: the run may not be of its commit: git diff gave no answer in 5 s\n"
    )


def test_what_git_refuses_is_one_warning_a_process_with_the_way_out(
    root, tmp_path, monkeypatch, capsys
):
    refusal = "fatal: detected dubious ownership in repository"
    fake_git(tmp_path, monkeypatch, f'echo "{refusal}" >&2; echo "advice" >&2; exit 128')
    assert commit_tags(root) == commit_tags(root) == {}
    assert capsys.readouterr().err == (
        f"warning: the run names no commit: {refusal}; for this version of git: "
        f"git config --global --add safe.directory {root}\n"
    )


def test_a_checkout_of_another_owner_has_its_commit(root):
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    commit = run_git(root, "rev-parse", "HEAD")
    for path in [root, *root.rglob("*")]:
        os.chown(path, 65534, 65534)
    refused = subprocess.run(["git", "-C", str(root), "status"], env=git.environment(), check=False)
    assert refused.returncode == 128
    assert commit_tags(root)["commit"] == commit
    assert dirty(root) == "false"


def test_without_git_or_a_commit_a_run_says_so(root, tmp_path, monkeypatch, capsys):
    run_git(tmp_path, "init", "-q", str(tmp_path / "new"))
    assert commit_tags(tmp_path / "new") == {}
    assert "has no commit yet" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit_tags(root) == {}
    assert capsys.readouterr().err == ("warning: the run names no commit: git is not installed\n")


def test_an_experiment_of_dvc_is_named(root, monkeypatch):
    monkeypatch.setenv("DVC_EXP_NAME", "bony-rale")
    assert commit_tags(root)["dvc.exp"] == "bony-rale"
