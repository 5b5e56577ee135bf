"""What one execution of a stage becomes in MLflow, read from its files on disk; no MLflow here.

The stage is one run. Each model that it trained, an entry of its ``models.json``, is a child run.
"""

import json
import math
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.runtime import dag
from pipeline.runtime.formats import model_list
from pipeline.runtime.formats.model_list import ModelEntry
from pipeline.runtime.provenance import Execution
from pipeline.runtime.results import flat
from pipeline.tracking.store import ENTRY, TrackingError

METRICS, RESULTS = "metrics.json", "results.json"
KEY_LIMIT, PARAM_LIMIT, TAG_LIMIT = 250, 6000, 5000  # MLflow's own, for keys and values
HEADLINES = 40  # in a run's description
COPIED = {".png", ".svg", ".csv", ".json", ".safetensors"}
COPIED_BYTES = 4 * 2**20  # larger files stand in DVC's cache; a copy would double the disk
EXPERIMENT = re.compile(r"[A-Z]\d+(?![^\W_])")  # O7, and also O7_ablation

Point = tuple[str, float, int]  # key, value, step


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one MLflow run holds; ``trained`` is the models.json entry of a child run."""

    name: str
    params: Mapping[str, str]
    points: Sequence[Point]
    tags: Mapping[str, str]
    trained: ModelEntry | None = None


def describe(root: Path, execution: Execution, entries: Sequence[ModelEntry]) -> Run:
    """Return the run of a stage which trained ``entries``.

    Raises TrackingError if its metrics or results cannot be read.
    """
    # A stage of the user's own may call a file so that is none of these, in another folder.
    folder = f"data/{execution.stage}"
    made = {name: f"{folder}/{name}" in execution.outs for name in (METRICS, RESULTS)}
    metrics = _json(root / folder / METRICS) if made[METRICS] else {}
    results = _json(root / folder / RESULTS) if made[RESULTS] else metrics
    return Run(
        name=execution.stage,
        params=as_params(execution.params),
        points=as_points(metrics),
        tags={
            **stage_tags(execution),
            **experiment_tag([*results, *(entry.name for entry in entries)]),
            ENTRY: execution.hash,
            "inputs": _md5s(execution.deps),
            "outputs": _md5s(execution.outs),
            "mlflow.note.content": note(execution.desc, metrics),
        },
    )


def names(execution: Execution) -> set[str]:
    """Return the names of a stage's outputs, without their folders."""
    return {PurePosixPath(path).name for path in execution.outs}


def stage_tags(execution: Execution) -> dict[str, str]:
    """Return what a stage is: its name, its lab, and its kind of work."""
    tags = {"stage": execution.stage, "kind": kind(execution)}
    if execution.stage != dag.CHECK:  # of no lab
        tags["lab"] = execution.stage.partition("_")[0]
    return tags


def kind(execution: Execution) -> str:
    """Return the work that a stage does, as its outputs show it.

    It trains if it leaves models, draws if it leaves figures alone, measures if it leaves tables or
    results; else (arrays) it makes data. The check of params.yaml is none of them.
    """
    suffixes = {PurePosixPath(name).suffix for name in names(execution)}
    if execution.stage == dag.CHECK:
        return "check"
    if model_list.FILE in names(execution) or ".safetensors" in suffixes:
        return "train"
    if suffixes and suffixes <= {".png", ".svg"}:
        return "draw"
    return "measure" if suffixes & {".csv", ".json"} else "data"


def experiment_tag(keys: Sequence[str]) -> dict[str, str]:
    """Return the experiments that keys begin with, ``O7.small.r50`` and ``O7_ablation`` with O7."""
    ids = {match.group() for key in keys if (match := EXPERIMENT.match(key))}
    ordered = sorted(ids, key=lambda identity: (identity[0], int(identity[1:])))
    return {"experiment": ",".join(ordered)} if ordered else {}


def note(desc: str, metrics: Mapping[str, Any]) -> str:
    """Return a run's description in Markdown: what the stage does, and its headline numbers."""
    numbers = list(flat(metrics))
    rows = [f"| {key} | {_short(value)} |" for key, value in numbers[:HEADLINES]]
    table = ["| headline | |", "| :-- | --: |", *rows] if rows else []
    if len(numbers) > HEADLINES:
        table += ["", f"... and {len(numbers) - HEADLINES} more in {METRICS}"]
    return "\n".join([desc, "", *table]).strip()[:TAG_LIMIT]


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def valid(key: str) -> str:
    """Return a name that MLflow takes: word characters and ``-. :/``, a normal path, 250 long."""
    name = re.sub(r"[^\w\-. :/]", "_", key)[: KEY_LIMIT - 1]
    if posixpath.normpath(name) != name or name.startswith("/"):
        name = name.replace("/", "_")
    return f"_{name}" if name in ("", ".") or name.startswith("..") else name


def as_params(content: Mapping[str, Any]) -> dict[str, str]:
    """Flatten parameters to compact text: ``oscillator.task.dt`` is "0.1", a list is "[1,2]"."""
    texts = {}
    for key, value in flat(content):
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        texts[valid(key)] = text if len(text) <= PARAM_LIMIT else text[: PARAM_LIMIT - 3] + "..."
    return texts


def as_points(content: Mapping[str, Any], step: int = 0) -> list[Point]:
    """Flatten metrics; what is no number (a verdict's text, null, NaN) is no metric."""
    return [
        (valid(key), float(value), step)
        for key, value in flat(content)
        if isinstance(value, (int, float)) and not math.isnan(value)
    ]


def copied_files(root: Path, execution: Execution) -> Iterator[Path]:
    """Yield the outputs that MLflow gets a copy of: none from elsewhere, whatever dvc.lock says."""
    inside = [path for path in execution.outs if not posixpath.isabs(path)]
    for path in (root / path for path in inside if not posixpath.normpath(path).startswith("..")):
        if path.suffix in COPIED and path.stat().st_size <= COPIED_BYTES:
            yield path


def record_of(execution: Execution) -> dict[str, Any]:
    """Return the whole execution for execution.json: the md5 of all files, copied or not."""
    return {
        "entry": execution.hash,
        "stage": execution.stage,
        "cmd": execution.cmd,
        "params": execution.params,
        "deps": execution.deps,
        "outs": execution.outs,
    }


def _md5s(files: Mapping[str, str]) -> str:
    text = json.dumps(files, separators=(",", ":"))
    return text if len(text) <= TAG_LIMIT else f"{len(files)} files, see execution.json"


def _json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TrackingError(f"{path.parent.name}/{path.name}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise TrackingError(f"{path.parent.name}/{path.name}: must be a mapping of numbers")
    return content
