"""provenance: the files on disk and dvc.lock tell the same of an execution, by one hash."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import config
from pipeline.__main__ import ROOT
from pipeline.runtime import dag, files, provenance, runner
from pipeline.runtime.formats import artifacts

DVC = f"""
stages:
  make:
    cmd: mkdir -p data/make/folder/deep && cp params.yaml data/make/x.txt
      && cp source.txt data/make/metrics.json && cp *.txt data/make/folder
      && cp source.txt data/make/folder/deep/ä.txt
    deps:
      - z_source.txt
      - source.txt
      - code
    params: [{{{dag.params_file("make")}: }}]
    outs:
      - data/make/x.txt
      - data/make/folder
    metrics:
      - data/make/metrics.json:
          cache: false
  bare:
    cmd: cp data/make/x.txt data/bare/y.txt
    deps:
      - data/make/folder
      - data/make/folder/deep/ä.txt
    outs:
      - data/bare/y.txt
"""
# Beside real sections, values that YAML and JSON can write in several ways.
ODD = {
    "small": 1e-14, "large": 1.0e20, "whole": 5.0, "long": 0.1234567890123456789, "no": None,
    "text": "1e-3", "name": "γ", "list": [1, 2.0, True], "big": 123456789012345678901234567890,
}  # fmt: skip


def params() -> dict[str, dict[str, Any]]:
    content = config.read(ROOT / config.FILE)
    real = runner.resolved(content, ["oscillator.train_fixed", "figures.style", "memory.laws"])
    return real | {"lab": {"odd": ODD}}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository in which DVC has just made two stages."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "dvc.yaml").write_text(DVC, encoding="utf-8")
    (folder / "params.yaml").write_text("lab: {}\n")
    artifacts.write_json(folder / dag.params_file("make"), params())
    for name in ("source.txt", "z_source.txt"):
        (folder / name).write_text(f'{{"{name}": 1}}\n')
    for name in ("make", "bare"):
        (folder / "data" / name).mkdir(parents=True)
    # A folder as pipeline/ is one: with files that DVC does not read.
    for name in ("a.py", "b/__init__.py", "b/c.py", "b.py", "b/__pycache__/c.pyc", "__pycache__/a"):
        (folder / "code" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "code" / name).write_text(name)
    shutil.copy(ROOT / ".dvcignore", folder)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "GIT_"))}
    for command in (
        ["init", "-q", "--no-scm", "-f"],
        ["config", "core.analytics", "false"],
        ["repro", "-q"],
    ):
        subprocess.run(
            [sys.executable, "-m", "dvc", *command], cwd=folder, env=environment, check=True
        )
    return folder


@pytest.mark.parametrize("stage", ["make", "bare"])
def test_files_and_lock_give_the_same_execution_and_hash(root: Path, stage: str) -> None:
    ours, theirs = provenance.from_workspace(root, stage), provenance.from_lock(root)[stage]
    assert ours == theirs
    assert ours.hash == theirs.hash


def test_an_execution_holds_what_went_in_and_came_out(root: Path) -> None:
    found = provenance.from_lock(root)["make"]
    sections = {"oscillator.train_fixed", "figures.style", "memory.laws", "lab.odd"}
    assert set(found.params) == sections
    assert found.params["lab.odd"] == ODD
    assert set(found.deps) == {"source.txt", "z_source.txt", "code"}
    names = {"x.txt", "folder", "metrics.json"}
    assert set(found.outs) == {f"data/make/{name}" for name in names}
    assert found.outs["data/make/x.txt"] == files.md5(root / "params.yaml")


def test_a_folder_s_md5_is_that_of_dvc(root: Path) -> None:
    found = provenance.from_lock(root)["make"]
    assert found.deps["code"].endswith(".dir")
    assert files.md5(root / "code") == found.deps["code"]
    before = found.outs["data/make/folder"]
    assert files.md5(root / "data/make/folder") == before
    (root / "code" / "b" / "d.py").touch()
    try:
        assert files.md5(root / "code") != found.deps["code"]
    finally:
        (root / "code" / "b" / "d.py").unlink()


def test_any_change_gives_another_hash(root: Path) -> None:
    found = provenance.from_lock(root)["make"]
    others = [
        replace(found, stage="other"),
        replace(found, cmd="other"),
        replace(found, params={**found.params, "figures.style": {}}),
        replace(found, deps={**found.deps, "source.txt": "0"}),
        replace(found, outs={**found.outs, "data/make/x.txt": "0"}),
    ]
    assert len({found.hash, *(other.hash for other in others)}) == 6


def test_the_order_of_keys_does_not_change_the_hash(root: Path) -> None:
    found = provenance.from_lock(root)["make"]
    turned = replace(found, params=dict(reversed(found.params.items())))
    assert turned.hash == found.hash


def test_without_a_lock_there_are_no_executions(tmp_path: Path) -> None:
    assert provenance.from_lock(tmp_path) == {}
