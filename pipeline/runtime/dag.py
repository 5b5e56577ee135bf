"""What dvc.yaml says of the stages, and where each one's code stands."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ruamel.yaml import YAML

FILE = "dvc.yaml"
PACKAGE = "pipeline"
CHECK = "check_params"  # the one stage of no lab


def read(root: Path) -> dict[str, Any]:
    """Return dvc.yaml's stages, {name: {cmd, deps, params, outs, metrics}}."""
    content = YAML(typ="safe", pure=True).load((root / FILE).read_text(encoding="utf-8"))
    return dict(content["stages"])


def stage_names(root: Path) -> list[str]:
    """Return the names of the stages, sorted: LAB_STAGE for the file LAB/STAGE.py."""
    folder = root / PACKAGE / "stages"
    files = [*folder.glob("*.py"), *folder.glob("*/*.py")]
    paths = [file.relative_to(folder).with_suffix("") for file in files]
    return sorted("_".join(path.parts) for path in paths if not path.name.startswith("_"))


def module(name: str) -> str:
    """Return the dotted name of a stage's module: LAB_STAGE is pipeline.stages.LAB.STAGE."""
    lab, _, stage = name.partition("_")
    inside = name if name == CHECK else f"{lab}.{stage}"
    return f"{PACKAGE}.stages.{inside}"


def stage_module(name: str) -> ModuleType:
    """Import a stage by its name."""
    return import_module(module(name))


def outputs(stage: dict[str, Any]) -> list[str]:
    """Return the paths of a stage's outputs, metrics included, in dvc.yaml's order."""
    return [_path(entry) for entry in [*stage.get("outs", []), *stage.get("metrics", [])]]


def _path(entry: str | dict[str, Any]) -> str:
    return entry if isinstance(entry, str) else str(next(iter(entry)))


def code_file(name: str) -> str:
    """Return the path of the fingerprint that a stage depends on."""
    return f"data/{CHECK}/code/{name}.json"


def params_file(name: str) -> str:
    """Return the path of the resolved params that a stage depends on."""
    return f"data/{CHECK}/params/{name}.json"
