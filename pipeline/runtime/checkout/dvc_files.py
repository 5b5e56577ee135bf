"""Read dvc.yaml and dvc.lock as DVC takes them; what DVC would refuse is an error of one line.

A merge leaves conflict markers, a full disk an empty file, a hand a wrong indent. The stages may be
the user's own, of any kind that DVC knows.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline.runtime import dag

LOCK, SCHEMA = "dvc.lock", "2.0"
CONFLICT = re.compile(r"(?m)^(<{7}|\|{7}|={7}|>{7})( .*)?$")
MEND = {
    LOCK: "take the committed one, git checkout HEAD -- dvc.lock, then dvc repro",
    dag.FILE: "mend it, or take the committed one: git checkout HEAD -- dvc.yaml",
}


class DvcFileError(ValueError):
    """dvc.yaml or dvc.lock cannot be used; the message names the file, the place and what to do."""

    def __init__(self, name: str, problem: str):
        super().__init__(f"{name}: {' '.join(problem.split())}; {MEND[name]}")


def stages(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return dvc.yaml's stages as they are written; DvcFileError if there are none."""
    content = _load(root, dag.FILE)
    found = content.get("stages", {})
    if not isinstance(found, Mapping):
        raise DvcFileError(dag.FILE, f"stages must be a mapping of names, got {_short(found)}")
    for name, stage in found.items():
        if not isinstance(stage, Mapping):
            raise DvcFileError(dag.FILE, f"stages.{name} must be a mapping, got {_short(stage)}")
    return dict(found)


def locked_stages(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return the stages that dvc.lock holds, none without the file; DvcFileError for another form.

    ``cmd`` is there, ``deps`` and ``outs`` are lists of mappings with a ``path``, ``params`` is a
    mapping of files.
    """
    if not (root / LOCK).is_file():
        return {}
    content = _load(root, LOCK)
    if content.get("schema") != SCHEMA:
        found = _short(content.get("schema"))
        raise DvcFileError(LOCK, f"schema must be {SCHEMA!r}, got {found}")
    found = content.get("stages", {})
    if not isinstance(found, Mapping):
        raise DvcFileError(LOCK, f"stages must be a mapping of names, got {_short(found)}")
    for name, stage in found.items():
        if problem := _fault(stage):
            raise DvcFileError(LOCK, f"stages.{name}{problem}")
    return dict(found)


def _fault(stage: Any) -> str:
    """Say what is wrong with a stage's entry, after its name; nothing if it is sound."""
    if not isinstance(stage, Mapping):
        return f" must be a mapping, got {_short(stage)}"
    if not isinstance(stage.get("cmd"), (str, list)):
        return f".cmd must be text, got {_short(stage.get('cmd'))}"
    for key in ("deps", "outs"):
        entries = stage.get(key, [])
        if not isinstance(entries, list):
            return f".{key} must be a list, got {_short(entries)}"
        for k, entry in enumerate(entries):
            if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
                return f".{key}.{k} must be a mapping with a path, got {_short(entry)}"
    params = stage.get("params", {})
    if not isinstance(params, Mapping):
        return f".params must be a mapping of files, got {_short(params)}"
    for file, values in params.items():
        if not isinstance(values, Mapping):
            return f".params.{file} must be a mapping, got {_short(values)}"
    return ""


def _load(root: Path, name: str) -> Mapping[str, Any]:
    try:
        text = (root / name).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DvcFileError(name, "is not text") from error
    except OSError as error:
        raise DvcFileError(name, f"cannot be read ({error.strerror})") from error
    if marker := CONFLICT.search(text):
        line = text.count("\n", 0, marker.start()) + 1
        raise DvcFileError(name, f"line {line} is {marker[0]!r}, a conflict that a merge left")
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError) as error:
        raise DvcFileError(name, f"is not valid YAML: {_reason(error)}") from error
    if not isinstance(content, Mapping):
        found = "an empty file" if content is None else _short(content)
        raise DvcFileError(name, f"must be a mapping, got {found}")
    return content


def _reason(error: Exception) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return f"{type(error).__name__}: {str(error)[:200]}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
