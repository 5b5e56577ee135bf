"""DVC itself, on a small repository with the real runner: an edit reruns what it reaches alone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.__main__ import ROOT
from pipeline.runtime import dag, smoke

MAKE = """
from pydantic import Field
from pipeline.config import Section, StageParams
from pipeline.core import shared
from pipeline.runtime.formats import artifacts
class Part(Section):
    size: int
    other: int
class Params(StageParams):
    part: Part = Field(alias="LAB.part")
def run(params, inputs, out):
    artifacts.write_json(out / "x.json", {"size": shared.scaled(params.part.size)})
"""
LOOK = """
from pipeline.config import StageParams
from pipeline.core import apart
from pipeline.runtime.formats import artifacts
HEADLINE = ("size",)
class Params(StageParams):
    pass
def run(params, inputs, out):
    return {"size": apart.scaled(artifacts.read_json(inputs / "a_make" / "x.json")["size"])}
"""
CORE = 'def scaled(size):\n    """Scale it."""\n    return 3 * size\n'
TRACKING = """
class TrackingError(Exception): pass
def import_while_computing(): return lambda: None
def record(root, execution): pass
"""


def stage(name: str, inputs: tuple[str, ...] = (), params: bool = True) -> str:
    outs = "outs: [data/{0}/x.json]" if params else (
        "outs: [data/{0}/results.json: {{cache: false}}]\n"
        "    metrics: [data/{0}/metrics.json: {{cache: false}}]"
    )  # fmt: skip
    deps = ", ".join((dag.code_file(name), *inputs))
    read = f"\n    params: [{{{dag.params_file(name)}: }}]" if params else ""
    command = f"cmd: python -m pipeline {name}"
    return f"  {name}:\n    {command}\n    deps: [{deps}]{read}\n    {outs.format(name)}\n"


DVC = f"""
params: [params.yaml]
stages:
  check_params:
    cmd: python -m pipeline check_params
    deps: [params.yaml, requirements.lock, pipeline]
    outs: [data/check_params/code, data/check_params/params]
{stage("a_make")}{stage("a_look", ("data/a_make/x.json",), params=False)}{stage("b_make")}
"""
PARAMS = """
presets:
  p: {size: 2, other: 1}
  q: {other: 1}
a:
  part: {preset: p}
b:
  part: {preset: q, size: 7}
"""
FILES = {
    "pipeline/core/__init__.py": "",
    "pipeline/core/shared.py": CORE,
    "pipeline/core/apart.py": CORE,
    "pipeline/tracking/__init__.py": TRACKING,  # MLflow takes seconds a stage
    "pipeline/stages/__init__.py": "",
    "pipeline/stages/a/__init__.py": "",
    "pipeline/stages/b/__init__.py": "",
    "pipeline/stages/a/make.py": MAKE.replace("LAB", "a"),
    "pipeline/stages/a/look.py": LOOK,
    "pipeline/stages/b/make.py": MAKE.replace("LAB", "b"),
    "params.yaml": PARAMS,
    "dvc.yaml": DVC,
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def dvc(root: Path, *arguments: str) -> list[str]:
    """Run DVC; return the stages that it runs, or would run."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=root, env={**smoke.environment(), "PATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return re.findall(r"(?m)^Running stage '(\w+)'", done.stdout)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, everything made."""
    folder = tmp_path_factory.mktemp("edges")
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "pipeline" / "runtime", folder / "pipeline" / "runtime", ignore=without)
    shutil.copytree(
        ROOT / "pipeline" / "tracking", folder / "pipeline" / "tracking", ignore=without
    )
    for file in (ROOT / "pipeline").glob("*.py"):
        shutil.copy(file, folder / "pipeline")
    for name in ("requirements.lock", ".dvcignore"):
        shutil.copy(ROOT / name, folder)
    write(folder, FILES)
    # The real check, of these stages alone.
    check = (ROOT / "pipeline" / "stages" / "check_params.py").read_text(encoding="utf-8")
    check = re.sub(r"(?m)^from pipeline\.(stages|labs)\..*\n", "", check)
    check = re.sub(r"(?m)^TOGETHER = .*$", "TOGETHER = ()", check)
    write(folder, {"pipeline/stages/check_params.py": check})
    dvc(folder, "init", "-q", "--no-scm", "-f")
    assert set(dvc(folder, "repro")) == {"check_params", "a_make", "a_look", "b_make"}
    assert dvc(folder, "repro") == []
    return folder


def commented(text: str) -> str:
    return f"# why\n\n{text.replace('Scale it.', 'Scale it by three.')}\n"


QUIET = {
    "pipeline/core/shared.py": commented(CORE),
    "pipeline/stages/a/make.py": commented(FILES["pipeline/stages/a/make.py"]),
    "params.yaml": commented(PARAMS).replace("{size: 2, other: 1}", "{other: 1, size: 2}"),
}
EDITS = {
    "comments and layout": (QUIET, set()),
    "a value of a preset": (
        {"params.yaml": PARAMS.replace("size: 2", "size: 5")},
        {"a_make"},  # a_look when it has made another file
    ),
    "a value and a number of the code": (
        {
            "params.yaml": PARAMS.replace("size: 7", "size: 8"),
            "pipeline/core/apart.py": CORE.replace("3", "4"),
        },
        {"b_make", "a_look"},
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_reruns_the_check_and_exactly_what_it_reaches(root: Path, edit: str) -> None:
    files, stages = EDITS[edit]
    write(root, FILES | files)
    assert dvc(root, "repro", "check_params") == ["check_params"]
    assert set(dvc(root, "repro", "--dry")) == stages
