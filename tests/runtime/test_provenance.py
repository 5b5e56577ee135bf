"""provenance: the files on disk and dvc.lock tell the same of an execution, by one hash."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.__main__ import ROOT
from pipeline.runtime import provenance

DVC = """
stages:
  make:
    cmd: cp params.yaml data/make/x.txt && cp source.txt data/make/metrics.json
    deps:
      - z_source.txt
      - source.txt
    params:
      - oscillator.train_fixed
      - figures.style
      - lab.odd
    outs:
      - data/make/x.txt
    metrics:
      - data/make/metrics.json:
          cache: false
  bare:
    cmd: cp data/make/x.txt data/bare/y.txt
    deps:
      - data/make/x.txt
    outs:
      - data/bare/y.txt
"""
# Beside the real sections (with merges and aliases), values that YAML can write in several ways.
ODD = """
lab:
  odd: {small: 1e-14, large: 1.0e+20, whole: 5.0, long: 0.1234567890123456789, "no": null,
        text: "1e-3", name: "γ", list: [1, 2.0, true], big: 123456789012345678901234567890}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository in which DVC has just made two stages."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "dvc.yaml").write_text(DVC)
    (folder / "params.yaml").write_text((ROOT / "params.yaml").read_text() + ODD, encoding="utf-8")
    for name in ("source.txt", "z_source.txt"):
        (folder / name).write_text(f'{{"{name}": 1}}\n')
    for name in ("make", "bare"):
        (folder / "data" / name).mkdir(parents=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "GIT_"))}
    for command in (
        ["init", "-q", "--no-scm"],
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
    assert set(found.params) == {"oscillator.train_fixed", "figures.style", "lab.odd"}
    assert set(found.deps) == {"source.txt", "z_source.txt"}
    assert set(found.outs) == {"data/make/x.txt", "data/make/metrics.json"}
    assert found.outs["data/make/x.txt"] == provenance.md5(root / "params.yaml")


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
