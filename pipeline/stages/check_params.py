"""Check params.yaml as a whole before any other stage starts, and say what each one depends on.

DVC deletes a stage's outputs before it runs it, so a bad value must be found while everything still
stands. For every other stage two small files are written: the sections that it reads, presets laid
out, and the fingerprint of its code. A stage depends on these alone, so an edit reruns exactly what
it reaches.
"""

from pathlib import Path

from pipeline import config
from pipeline.labs.memory.train import plan as memory_plan
from pipeline.runtime import dag, fingerprint, runner
from pipeline.runtime.formats import artifacts

# Sections that no stage reads together: a stage that did would rerun when any of them changes.
TOGETHER = (memory_plan.Params,)


class Params(config.StageParams):
    """No section of its own: it checks those of all the others."""


def check(root: Path) -> dict[str, type[config.StageParams]]:
    """Check a checkout's params.yaml and return each stage's class; ConfigError on a fault."""
    stages = {name: dag.stage_module(name).Params for name in dag.stage_names(root)}
    config.check(root / config.FILE, [*stages.values(), *TOGETHER])
    return stages


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001
    """Check the file; write params/STAGE.json and code/STAGE.json for all other stages."""
    root = inputs.parent
    stages = check(root)
    content = config.read(root / config.FILE)
    for name, kind in stages.items():
        if name != dag.CHECK:
            sections = runner.resolved(content, list(kind.sections()))
            artifacts.write_json(out / "params" / f"{name}.json", sections)
            code = fingerprint.of_stage(name, root).to_json()
            artifacts.write_json(out / "code" / f"{name}.json", code)
