"""Stages of the user's own, of every kind that DVC locks: described as far as a run can be."""

import json
import os
import subprocess
import sys

import pytest

from pipeline.runtime import dag, provenance
from pipeline.runtime.formats import artifacts

DVC_YAML = """\
vars:
  - word: five
stages:
  many:
    foreach: [1, 2]
    do:
      desc: One of two
      cmd: mkdir -p d${item} && echo ${word} > d${item}/f
      outs: ["d${item}"]
  table:
    matrix: {x: [p]}
    cmd: echo ${item.x} > table_${item.x}
    outs: ["table_${item.x}"]
  inside:
    wdir: folder
    cmd: echo 3 > kept
    deps: [../source.txt]
    params: [../other.yaml: [k, l.m]]
    outs: [kept: {persist: true, desc: hello}]
  commands:
    desc: Two commands
    cmd: [echo 1 > one, "echo 'a,b' > plot.csv"]
    deps: [source.txt]
    params: [other.yaml: [k]]
    outs: [one]
    plots: [plot.csv: {x: a}]
  read:
    cmd: cp source.txt read.txt
    deps: [source.txt]
    outs: [read.txt]
"""
# What DVC writes of an address, a bucket with versions, a dataset, a link to another repository.
ELSEWHERE = {
    "https": {"path": "https://host/a.csv", "hash": "md5", "checksum": '"33a64df5"', "size": 3},
    "s3": {"path": "s3://bucket/a", "etag": "d41d8-2", "size": 1, "isexec": True},
    "version": {"path": "a", "cloud": {"remote": {"etag": "e", "version_id": "v"}}},
    "folder": {"path": "a", "files": [{"relpath": "b", "cloud": {}}], "nfiles": 1, "size": 2},
    "dataset": {"path": "ds://a", "dataset": {"name": "a", "type": "dc", "version": 1}},
    "number": {"path": "a", "md5": 12345},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "dvc.yaml").write_text(DVC_YAML)
    (folder / "other.yaml").write_text("k: 3\nl: {m: 4}\n")
    (folder / "source.txt").write_text("x")
    (folder / "folder").mkdir()
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "-q"],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "GIT_"))},
        check=True,
    )
    return folder


def test_every_kind_of_stage_is_described_by_its_files(root):
    said = []
    executions = provenance.from_lock(root, said.append)
    assert said == []
    assert list(executions) == ["many@1", "many@2", "table@p", "inside", "commands", "read"]
    for execution in executions.values():
        for path, md5 in execution.outs.items():
            assert provenance.files.md5(root / path) == md5
    assert executions["many@1"].desc == "One of two"
    assert executions["many@2"].cmd == "mkdir -p d2 && echo five > d2/f"


def test_a_stage_s_working_folder_and_params_are_read(root):
    inside = provenance.from_lock(root)["inside"]
    assert inside.params == {"k": 3, "l.m": 4}
    assert list(inside.outs) == ["folder/kept"]
    assert list(inside.deps) == ["source.txt"]


def test_commands_and_plots_are_the_same_from_the_files_and_from_the_lock(root):
    locked = provenance.from_lock(root)["commands"]
    assert locked.cmd == "echo 1 > one\necho 'a,b' > plot.csv"
    assert set(locked.outs) == {"one", "plot.csv"}
    here = provenance.from_workspace(root, "commands")
    assert (here.cmd, here.outs, here.deps) == (locked.cmd, locked.outs, locked.deps)
    assert provenance.from_workspace(root, "read") == provenance.from_lock(root)["read"]


def locked(tmp_path, **changes):
    """Write a lock with a stage that is sound and one that is not alike."""
    sound = {"cmd": "a", "outs": [{"path": "x", "md5": "0a"}]}
    stages = {"own": {"cmd": "b", "deps": [], "outs": [], **changes}, "sound": sound}
    for name, content in (("lock", {"schema": "2.0", "stages": stages}), ("yaml", {})):
        content = content or {"stages": {name: {"cmd": "c"} for name in stages}}
        artifacts.write_json(tmp_path / f"dvc.{name}", content)  # which is YAML
    said = []
    return provenance.from_lock(tmp_path, said.append), said


@pytest.mark.parametrize("entry", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_dependency_without_md5_is_known_by_what_dvc_keeps(tmp_path, entry):
    executions, said = locked(tmp_path, deps=[entry])
    assert said == []
    (state,) = executions["own"].deps.values()
    assert json.loads(state) == {key: value for key, value in entry.items() if key != "path"}
    changed, _ = locked(tmp_path, deps=[{**entry, "size": 999}])
    assert changed["own"].hash != executions["own"].hash
    assert changed["sound"].hash == executions["sound"].hash


@pytest.mark.parametrize("entry", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_stage_whose_output_has_no_md5_is_left_out_with_a_line(tmp_path, entry):
    executions, said = locked(tmp_path, outs=[{"path": "ok", "md5": "1"}, entry])
    assert list(executions) == ["sound"]
    assert said == [f"own: not logged: dvc.lock has no md5 of its output {entry['path']}"]


def test_params_of_a_stage_that_are_no_sections_are_named(tmp_path):
    with pytest.raises(provenance.dvc_files.DvcFileError, match=r"stages\.own\.params\..*\.lab "):
        locked(tmp_path, params={dag.params_file("own"): {"lab": 3}})
