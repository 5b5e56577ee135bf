"""What one execution of a stage becomes in MLflow, read from its files on disk; no MLflow here.

The stage is one run. Each model that it trained, an entry of its ``models.json``, is a child run::

    {"name": "O5.causal_8l_16_8.seed_0",
     "params": {"n_layers": 8}, "metrics": {"loss": 0.01},
     "history": {"file": "history.csv", "where": {"model": "causal_8l_16_8", "seed": 0}},
     "model": {"file": "models.safetensors", "name": "causal_8l_16_8", "member": 0},
     "register": "oscillator_nla", "example": [[[0.0, 1.0]]]}

``history``, ``model``, ``register`` and ``example`` may be absent or null, and the model's ``name``
if it is the file's. The history's rows are those whose columns equal ``where``; its curves are all
columns but ``step``, ``model`` and ``seed``.
"""

import csv
import json
import math
import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pipeline.runtime.provenance import Execution
from pipeline.tracking.store import ENTRY, TrackingError

MODELS = "models.json"
METRICS = "metrics.json"
KEY_LIMIT, PARAM_LIMIT, TAG_LIMIT = 250, 6000, 5000  # MLflow's own, for keys and values
COPIED = {".png", ".svg", ".csv", ".json", ".safetensors"}
COPIED_BYTES = 4 * 2**20  # larger files stand in DVC's cache; a copy would double the disk
NOT_CURVES = {"step", "model", "seed"}

Point = tuple[str, float, int]  # key, value, step


class Strict(BaseModel):
    """A part of models.json: no unknown keys, no converted types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


class HistoryRows(Strict):
    """The rows of a table that are one model's history."""

    file: str
    where: dict[str, str | int | float]


class SavedMember(Strict):
    """One member of a model in a file of ``saved_models.write_models``, by its name there."""

    file: str
    name: str | None = None
    member: int = Field(ge=0)


class TrainedModel(Strict):
    """One trained model: an entry of models.json."""

    name: str
    params: dict[str, Any]
    metrics: dict[str, float | None]
    history: HistoryRows | None = None
    model: SavedMember | None = None
    register_as: str | None = Field(alias="register", default=None)
    example: list[Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one MLflow run holds; ``trained`` is the models.json entry of a child run."""

    name: str
    params: Mapping[str, str]
    points: Sequence[Point]
    tags: Mapping[str, str]
    trained: TrainedModel | None = None


def flat(content: Any, prefix: str = "") -> dict[str, Any]:
    """Join nested keys with dots: {"a": {"b": 1}} is {"a.b": 1}."""
    if not isinstance(content, Mapping) or not content:
        return {prefix: content} if prefix else {}
    flattened: dict[str, Any] = {}
    for key, value in content.items():
        flattened |= flat(value, f"{prefix}.{key}" if prefix else str(key))
    return flattened


def valid(key: str) -> str:
    """Return a name that MLflow takes: word characters and ``-. :/``, a normal path, 250 long."""
    name = re.sub(r"[^\w\-. :/]", "_", key)[: KEY_LIMIT - 1]
    if posixpath.normpath(name) != name or name.startswith("/"):
        name = name.replace("/", "_")
    return f"_{name}" if name in ("", ".") or name.startswith("..") else name


def as_params(content: Mapping[str, Any]) -> dict[str, str]:
    """Flatten parameters to compact text: ``oscillator.task.dt`` is "0.1", a list is "[1,2]"."""
    texts = {}
    for key, value in flat(content).items():
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        texts[valid(key)] = text if len(text) <= PARAM_LIMIT else text[: PARAM_LIMIT - 3] + "..."
    return texts


def as_points(content: Mapping[str, Any], step: int = 0) -> list[Point]:
    """Flatten metrics; what is no number (a verdict's text, null, NaN) is no metric."""
    return [
        (valid(key), float(value), step)
        for key, value in flat(content).items()
        if isinstance(value, (int, float)) and not math.isnan(value)
    ]


def describe(root: Path, execution: Execution, context: Mapping[str, str]) -> tuple[Run, list[Run]]:
    """Return the stage's run and its child runs; ``context`` tags the stage's (commit and such).

    Raises TrackingError if models.json or a history is not as the module's text says.
    """
    folder = root / "data" / execution.stage
    made = {Path(path).name for path in execution.outs}
    metrics = _json(folder / METRICS) if METRICS in made else {}
    run = Run(
        name=execution.stage,
        params=as_params(execution.params),
        points=as_points(metrics),
        tags={
            "stage": execution.stage,
            ENTRY: execution.hash,
            "inputs": _tag(execution.deps),
            "outputs": _tag(execution.outs),
            **context,
        },
    )
    return run, _children(folder) if MODELS in made else []


def files(root: Path, execution: Execution) -> list[Path]:
    """Return the outputs that MLflow gets a copy of."""
    paths = [root / path for path in execution.outs]
    return [p for p in paths if p.suffix in COPIED and p.stat().st_size <= COPIED_BYTES]


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


def _tag(md5s: Mapping[str, str]) -> str:
    text = json.dumps(md5s, separators=(",", ":"))
    return text if len(text) <= TAG_LIMIT else f"{len(md5s)} files, see execution.json"


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrackingError(f"{path.parent.name}/{path.name}: cannot be read: {error}") from error


def _children(folder: Path) -> list[Run]:
    try:
        entries = TypeAdapter(list[TrainedModel]).validate_python(_json(folder / MODELS))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise TrackingError(f"{folder.name}/{MODELS}: entry {where}: {fault['msg']}") from error
    read = cache(_table)
    runs = []
    for entry in entries:
        history: list[Point] = []
        if entry.history is not None:
            history = _curves(folder / entry.history.file, entry.history.where, read)
        last = max((step for _, _, step in history), default=0)
        # A final value that the curve ends with already would be a second point there.
        final = [point for point in as_points(entry.metrics, last) if point not in set(history)]
        runs.append(
            Run(
                name=entry.name,
                params=as_params(entry.params),
                points=history + final,
                tags={"stage": folder.name, "model": entry.name},
                trained=entry,
            )
        )
    return runs


def _table(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrackingError(f"{path.parent.name}/{path.name}: cannot be read: {error}") from error


def _curves(path: Path, where: Mapping[str, Any], read: Any) -> list[Point]:
    chosen = {column: str(value) for column, value in where.items()}
    rows = [r for r in read(path) if all(r.get(column) == v for column, v in chosen.items())]
    if not rows:
        raise TrackingError(f"{path.parent.name}/{path.name}: no row with {chosen}")
    skipped = NOT_CURVES | chosen.keys()
    try:
        points = [
            (valid(column), float(cell), int(row["step"]))
            for row in rows
            for column, cell in row.items()
            if column not in skipped and cell
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise TrackingError(
            f"{path.parent.name}/{path.name}: expected a column step of integers and columns of "
            f"numbers, got {error}"
        ) from error
    return [point for point in points if not math.isnan(point[1])]
