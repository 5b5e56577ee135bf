"""Runs one stage: params -> its ``run`` -> its files, which appear together or not at all.

DVC hashes a stage's dependencies after the stage has run (treeverse/dvc 11058). So the runner holds
params, code and inputs against the disk twice: at the start, against what check_params wrote, and
before it publishes, against what it loaded. A stage whose ground moved publishes nothing.
"""

import gc
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline import config
from pipeline.runtime import dag, files, fingerprint, locks, partial, results
from pipeline.runtime.compute import numerics
from pipeline.runtime.formats import artifacts, records

# What check_params depends on: it tells the others' params and code from these.
READ_BY_CHECK = (config.FILE, fingerprint.LOCK, dag.PACKAGE)
Sections = dict[str, dict[str, Any]]  # {lab: {section: keys}}
RESULTS, METRICS = "results.json", "metrics.json"


class ChangedError(RuntimeError):
    """What a stage depends on is not what it was; one line for the user."""


@contextmanager
def alone(name: str, root: Path) -> Iterator[None]:
    """Be the only process that makes a stage, and end with the process that asked for it."""
    locks.end_with_parent()
    with locks.exclusive_lock(partial.lock(root, name), name):
        yield


def run(name: str, root: Path) -> None:
    """Run one stage; its outputs appear under data/STAGE together, or not at all.

    Raises ChangedError if its params, code or inputs change meanwhile, and whatever the stage does.
    """
    stage = dag.stage_module(name)
    gc.freeze()  # Python would look through all objects of torch for garbage, again and again
    with partial.making(root, name) as made:
        ground = Ground(name, root)
        numerics.use_one_thread(torch="torch" in ground.code.packages)
        params = config.build(ground.content, stage.Params)
        with files.recording() as read:
            measured = stage.run(params, root / "data", made)
        if measured is not None:
            write_results(made, measured, stage.HEADLINE)
        ground.refuse_change(read)
        publish(made, root / "data" / name)


class Ground:
    """What a stage stands on beside its inputs: its params and its code."""

    def __init__(self, name: str, root: Path):
        """Read both; ChangedError if they are not what check_params wrote for this stage.

        Raises FingerprintError if another version of a package is installed than is pinned.
        """
        self.name, self.root = name, root
        self.params = config.read_bytes(root / config.FILE)
        self.content = config.read(root / config.FILE)
        if name == dag.CHECK:  # it writes what the others are held against, and reads all code
            self.read = {path: _state(root / path) for path in READ_BY_CHECK}
            self.code = fingerprint.Fingerprint(files={}, packages={}, python="")
            return
        self.sections = records.read_json(root / dag.params_file(name), Sections)
        self.code = records.read_json(root / dag.code_file(name), fingerprint.Fingerprint)
        fingerprint.refuse_other_packages(self.code)
        if changed := self._changed():
            raise ChangedError(f"{changed} changed since check_params ran: run dvc repro")

    def refuse_change(self, read: dict[Path, str]) -> None:
        """Raise ChangedError if params, code or one of the files that were read is another now."""
        changed = self._changed()
        for path, md5 in read.items():
            if not changed and (not path.is_file() or files.md5(path) != md5):
                changed = f"{files.DATA}/{files.placed(path)}"
        if changed:
            raise ChangedError(
                f"{changed} changed while the stage ran: nothing was published; run dvc repro again"
            )

    def _changed(self) -> str:
        if self.name == dag.CHECK:
            changed = [path for path, old in self.read.items() if _state(self.root / path) != old]
            return changed[0] if changed else ""
        if config.read_bytes(self.root / config.FILE) != self.params:
            self.content = config.read(self.root / config.FILE)
        content = self.content
        place = _difference(resolved(content, list(self._names())), self.sections)
        if place:
            return f"{config.FILE}: {place}"
        return fingerprint.of_stage(self.name, self.root).difference(self.code)

    def _names(self) -> Iterator[str]:
        return (f"{lab}.{part}" for lab, parts in self.sections.items() for part in parts)


def resolved(content: config.Content, sections: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return sections as DVC tracks them, {lab: {section: keys}}; one that is missing is None.

    A list of plain values is one text: DVC would give each of its items a line of dvc.lock, which
    it reads and writes again after every stage.
    """
    known = set(content)
    chosen: dict[str, dict[str, Any]] = {}
    for name in sections:
        lab, _, part = name.partition(".")
        chosen.setdefault(lab, {})[part] = content[name] if name in known else None
    return dict(_compact(chosen))


def _compact(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _compact(inner) for key, inner in value.items()}
    if isinstance(value, list):
        text = json.dumps(value)
        return [_compact(inner) for inner in value] if "{" in text else text
    return value


def _state(path: Path) -> str:
    return files.md5(path) if path.exists() else ""


def _difference(now: Any, then: Any, place: str = "") -> str:
    """Return the first dotted place where two trees differ, or nothing."""
    if isinstance(now, dict) and isinstance(then, dict):
        for key in [*then, *now]:
            inner = _difference(now.get(key), then.get(key), f"{place}.{key}" if place else key)
            if inner:
                return inner
        return ""
    # Not as values: 1 == 1.0 == True.
    return "" if json.dumps(now) == json.dumps(then) else place


def write_results(out: Path, measured: results.Results, headline: Sequence[str]) -> None:
    """Write all that a stage measured, and the numbers to compare."""
    artifacts.write_json(out / RESULTS, measured)
    artifacts.write_json(out / METRICS, results.headline(measured, headline))


def publish(made: Path, out: Path) -> None:
    """Move finished files and folders to where the next stages read them."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(made.iterdir()):
        target = out / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)
