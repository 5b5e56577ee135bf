"""A scratch repository of one small stage, as check_params leaves it: for tests of the runner."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from pipeline import config
from pipeline.config import Section, StageParams
from pipeline.runtime import dag, fingerprint, runner
from pipeline.runtime.formats import artifacts

STAGE = "a_stage"
SHARED = "pipeline/core/shared.py"  # of the stage's code
APART = "pipeline/core/apart.py"  # of no stage's
INPUT = "data/b_stage/y.json"
OLD = "what the last run left\n"
DVC = f"""
stages:
  {STAGE}:
    cmd: python -m pipeline {STAGE}
    deps: [{dag.code_file(STAGE)}, {INPUT}]
    params: [{{{dag.params_file(STAGE)}: }}]
    outs: [data/{STAGE}/x.json, data/{STAGE}/results.json: {{cache: false}}]
    metrics: [data/{STAGE}/metrics.json: {{cache: false}}]
"""
FILES = {
    "dvc.yaml": DVC,
    "params.yaml": "lab: {part: {size: 2}, other: {size: 1}}\n",
    "requirements.lock": f"numpy=={np.__version__}\n",
    "pipeline/__main__.py": "",
    "pipeline/runtime/runner.py": "",
    "pipeline/stages/a/stage.py": "import numpy\nfrom pipeline.core import shared\n",
    SHARED: "LIMIT = 3\n",
    APART: "LIMIT = 3\n",
    INPUT: '{"y": 1}\n',
    f"data/{STAGE}/x.json": OLD,
}
MADE = {f"{STAGE}/{name}" for name in ("x.json", "results.json", "metrics.json")}


class Part(Section):
    size: Annotated[int, Field(ge=1)]


class Params(StageParams):
    part: Part = Field(alias="lab.part")


def make(params: Params, inputs: Path, out: Path) -> dict[str, Any]:
    """What the stage does: read its input, write a file, measure."""
    y = artifacts.read_json(inputs.parent / INPUT)["y"]
    artifacts.write_json(out / "x.json", {"size": params.part.size, "y": y})
    return {"O3": {"gamma_0": {"r_50": 1e-5, "n": 5}}}


def stage(run: Callable[..., Any]) -> Callable[[str], SimpleNamespace]:
    """What dag.stage_module is to return."""
    return lambda name: SimpleNamespace(Params=Params, run=run, HEADLINE=("O3.*.r_50",))


def write(root: Path, **texts: str) -> None:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def repository(root: Path) -> Path:
    """Write the repository, with the outputs of an earlier run."""
    write(root, **FILES)
    check_params(root)
    return root


def check_params(root: Path) -> None:
    """Do what the stage check_params does, for the one stage."""
    content = config.read(root / config.FILE)
    sections = runner.resolved(content, list(Params.sections()))
    artifacts.write_json(root / dag.params_file(STAGE), sections)
    code = fingerprint.of_stage(STAGE, root).to_json()
    artifacts.write_json(root / dag.code_file(STAGE), code)


def outputs(root: Path) -> dict[str, str]:
    """What lies under data/ of this stage, finished or half made."""
    return {
        path.relative_to(root / "data").as_posix(): path.read_text()
        for path in (root / "data").rglob("*")
        if path.is_file() and STAGE in path.parts and ".locks" not in path.parts
    }
