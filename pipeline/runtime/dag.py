"""What dvc.yaml says of the stages, and which code each one really imports.

The code dependencies in dvc.yaml are the closure of a stage file's imports inside the package, so
that an edit reruns exactly the stages it can affect. ``python -m pipeline deps`` writes them.
"""

import ast
from functools import cache
from io import StringIO
from pathlib import Path
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
    """Return the names of the stage files, sorted; a leading underscore marks what stages share."""
    folder = root / PACKAGE / "stages"
    own = [file.stem for file in folder.glob("*.py")]
    labs = [f"{file.parent.name}_{file.stem}" for file in folder.glob("*/*.py")]
    return sorted(name for name in own + labs if "__" not in name)


def module(name: str) -> str:
    """Return the dotted name of a stage's module: LAB_STAGE is pipeline.stages.LAB.STAGE."""
    lab, _, stage = name.partition("_")
    inside = name if name == CHECK else f"{lab}.{stage}"
    return f"{PACKAGE}.stages.{inside}"


def outputs(stage: dict[str, Any]) -> list[str]:
    """Return the paths of a stage's outputs, metrics included, in dvc.yaml's order."""
    paths = []
    for entry in [*stage.get("outs", []), *stage.get("metrics", [])]:
        paths.append(entry if isinstance(entry, str) else next(iter(entry)))
    return paths


@cache
def imports(file: Path, root: Path) -> frozenset[Path]:
    """Return the package's files that one file imports, at any level of its code."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            path = root / Path(*name.split(".")).with_suffix(".py")
            if name.split(".")[0] == PACKAGE and path.is_file():
                found.add(path)
    return frozenset(found)


def code_of(name: str, root: Path) -> list[str]:
    """Return the stage's own file and all that it imports, directly or not, sorted."""
    start = root / Path(*module(name).split(".")).with_suffix(".py")
    closure, waiting = {start}, [start]
    while waiting:
        fresh = imports(waiting.pop(), root) - closure
        closure |= fresh
        waiting += fresh
    return sorted(path.relative_to(root).as_posix() for path in closure)


def expected_deps(name: str, stage: dict[str, Any], root: Path) -> list[str]:
    """Return a stage's dependencies as they should stand: its data as given, its real code.

    The stage that checks params.yaml imports every stage to learn its sections, so its code is
    theirs.
    """
    given = [path for path in stage.get("deps", []) if not path.endswith(".py")]
    code = set(code_of(name, root))
    if name == "check_params":
        code = code.union(*(code_of(other, root) for other in stage_names(root)))
    return given + sorted(code)


def write_deps(root: Path) -> bool:
    """Rewrite dvc.yaml with every stage's real code dependencies; return whether it changed."""
    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 100, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    before = (root / FILE).read_text(encoding="utf-8")
    content = yaml.load(before)
    for name, stage in content["stages"].items():
        stage["deps"] = expected_deps(name, stage, root)
    text = StringIO()
    yaml.dump(content, text)
    (root / FILE).write_text(text.getvalue(), encoding="utf-8")
    return text.getvalue() != before
