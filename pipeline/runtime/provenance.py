"""The record of one execution of a stage: what went in, what came out, and one hash of it all.

The same record follows from the files on disk (when a stage has just run) and from dvc.lock (when
DVC skipped the stage or took its outputs from a cache), so their hashes are equal and a tracking
store can tell what it already holds.
"""

import hashlib
import json
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.runtime import dag, files
from pipeline.runtime.checkout import dvc_files

LOCK = dvc_files.LOCK


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
    """Describe a stage by dvc.yaml, params.yaml and the files on disk.

    Raises DvcFileError if dvc.yaml has no such stage.
    """
    stages = dvc_files.stages(root)
    if name not in stages:
        raise dvc_files.DvcFileError(dag.FILE, f"stages.{name} is missing")
    stage = dict(stages[name])
    made = [*dag.outputs(stage), *dag.outputs({"outs": stage.get("plots", [])})]
    return Execution(
        stage=name,
        cmd=_command(stage["cmd"]),
        params=_params(root, name),
        deps={path: files.md5(root / path) for path in stage.get("deps", [])},
        outs={path: files.md5(root / path) for path in made},
        desc=stage.get("desc", ""),
    )


def _command(cmd: str | list[str]) -> str:
    return cmd if isinstance(cmd, str) else "\n".join(map(str, cmd))


def _params(root: Path, name: str) -> dict[str, Any]:
    file = root / dag.params_file(name)
    return by_section(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def by_section(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Lay {lab: {section: keys}} out as {"lab.section": keys}."""
    return {
        f"{lab}.{part}": keys for lab, parts in sections.items() for part, keys in parts.items()
    }


def from_lock(root: Path, say: Callable[[str], object] = print) -> dict[str, Execution]:
    """Describe the stages of dvc.yaml that dvc.lock holds; it keeps those that are gone.

    A stage of the user's own may have what no run can be made of, outputs elsewhere: it is left out
    and said. Raises DvcFileError if one of the two files is not sound.
    """
    locked = dvc_files.locked_stages(root)
    stages = dvc_files.stages(root) if locked else {}
    executions = {}
    for name, entry in locked.items():
        written = stages.get(name.partition("@")[0])  # foreach and matrix lock name@item
        if written is None:
            continue
        folder = str(written.get("wdir", ""))
        outs = entry.get("outs", [])
        if elsewhere := [out["path"] for out in outs if not isinstance(out.get("md5"), str)]:
            say(f"{name}: not logged: {LOCK} has no md5 of its output {elsewhere[0]}")
            continue
        executions[name] = Execution(
            stage=name,
            cmd=_command(entry["cmd"]),
            params=_locked_params(name, entry.get("params", {})),
            deps={_path(folder, dep): _state(dep) for dep in entry.get("deps", [])},
            outs={_path(folder, out): out["md5"] for out in outs},
            desc=_described(written),
        )
    return executions


def _path(folder: str, entry: Mapping[str, Any]) -> str:
    """Return an entry's path from the root: dvc.lock has it from the stage's working folder."""
    path: str = entry["path"]
    return posixpath.normpath(posixpath.join(folder, path)) if folder else path


def _state(entry: Mapping[str, Any]) -> str:
    """Return the md5 of what a stage read; of an address, what DVC keeps in its place."""
    if isinstance(md5 := entry.get("md5"), str):
        return md5
    known = {key: value for key, value in entry.items() if key != "path"}
    return json.dumps(known, sort_keys=True, default=str)


def _described(stage: Mapping[str, Any]) -> str:
    inside = stage.get("do", stage)  # of foreach
    desc = inside.get("desc") if isinstance(inside, Mapping) else None
    return desc if isinstance(desc, str) else ""


def _locked_params(name: str, by_file: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a stage's resolved sections, or what one of the user's own reads of any file."""
    if (resolved := by_file.get(dag.params_file(name))) is not None:
        if wrong := [lab for lab, parts in resolved.items() if not isinstance(parts, Mapping)]:
            place = f"stages.{name}.params.{dag.params_file(name)}.{wrong[0]}"
            raise dvc_files.DvcFileError(LOCK, f"{place} must be a mapping of sections")
        return by_section(resolved)
    return dict(item for values in by_file.values() for item in values.items())
