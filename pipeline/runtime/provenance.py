"""The record of one execution of a stage: what went in, what came out, and one hash of it all.

The same record follows from the files on disk (when a stage has just run) and from dvc.lock (when
DVC skipped the stage or took its outputs from a cache), so their hashes are equal and a tracking
store can tell what it already holds.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.runtime import dag, files

LOCK = "dvc.lock"


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution of a stage; ``deps`` and ``outs`` map paths to the md5 of their content.

    ``desc`` is what dvc.yaml says that the stage does. It is no part of the hash.
    """

    stage: str
    cmd: str
    params: Mapping[str, Any]
    deps: Mapping[str, str]
    outs: Mapping[str, str]
    desc: str = ""

    @property
    def hash(self) -> str:
        """Identify the execution: sha256 of its canonical JSON."""
        content = {k: getattr(self, k) for k in ("stage", "cmd", "params", "deps", "outs")}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def from_workspace(root: Path, name: str) -> Execution:
    """Describe a stage by dvc.yaml, params.yaml and the files on disk."""
    stage = dag.read(root)[name]
    return Execution(
        stage=name,
        cmd=stage["cmd"],
        params=_params(root, name),
        deps={path: files.md5(root / path) for path in stage.get("deps", [])},
        outs={path: files.md5(root / path) for path in dag.outputs(stage)},
        desc=stage.get("desc", ""),
    )


def _params(root: Path, name: str) -> dict[str, Any]:
    file = root / dag.params_file(name)
    return by_section(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def by_section(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Lay {lab: {section: keys}} out as {"lab.section": keys}."""
    return {
        f"{lab}.{part}": keys for lab, parts in sections.items() for part, keys in parts.items()
    }


def from_lock(root: Path) -> dict[str, Execution]:
    """Describe every stage that dvc.lock holds."""
    if not (root / LOCK).is_file():
        return {}
    content = YAML(typ="safe", pure=True).load((root / LOCK).read_text(encoding="utf-8"))
    stages = dag.read(root)
    return {
        name: Execution(
            stage=name,
            cmd=stage["cmd"],
            params=by_section(stage.get("params", {}).get(dag.params_file(name), {})),
            deps={entry["path"]: entry["md5"] for entry in stage.get("deps", [])},
            outs={entry["path"]: entry["md5"] for entry in stage.get("outs", [])},
            desc=stages.get(name, {}).get("desc", ""),
        )
        for name, stage in content["stages"].items()
    }
