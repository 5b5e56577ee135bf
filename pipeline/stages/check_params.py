"""Check params.yaml as a whole before any other stage starts.

DVC deletes a stage's outputs before it runs it, so a bad value must be found while everything still
stands. The output is constant: passing the check reruns nothing.
"""

from importlib import import_module
from pathlib import Path

from pipeline import config
from pipeline.labs.memory.train import plan as memory_plan
from pipeline.runtime import artifacts, dag

# Sections that no stage reads together: a stage that did would rerun when any of them changes.
TOGETHER = (memory_plan.Params,)


class Params(config.StageParams):
    """No section of its own: it checks those of all the others."""


def check(root: Path) -> None:
    """Check a checkout's params.yaml; ConfigError on the first fault."""
    stages = [import_module(dag.module(name)).Params for name in dag.stage_names(root)]
    config.check(root / config.FILE, [*stages, *TOGETHER])


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001
    """Check the file; write the constant that all other stages depend on."""
    check(inputs.parent)
    artifacts.write_json(out / "ok.json", {"params.yaml": "checked"})
