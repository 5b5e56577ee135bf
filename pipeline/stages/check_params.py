"""Check params.yaml as a whole before any other stage starts.

DVC deletes a stage's outputs before it runs it, so a bad value must be found while everything still
stands. The output is constant: passing the check reruns nothing.
"""

from importlib import import_module
from pathlib import Path

from pipeline import artifacts, config, dag


class Params(config.StageParams):
    """No section of its own: it checks those of all the others."""


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001
    """Check the file; write the constant that all other stages depend on."""
    root = inputs.parent
    stages = [import_module(f"pipeline.stages.{name}").Params for name in dag.stage_names(root)]
    config.check(root / config.FILE, stages)
    artifacts.write_json(out / "ok.json", {"params.yaml": "checked"})
