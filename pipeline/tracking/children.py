"""The child runs of a stage's run: one for each entry of its models.json, with its loss curves."""

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from pipeline.runtime.formats import model_list
from pipeline.runtime.formats.model_list import HistoryRows, ModelEntry
from pipeline.runtime.provenance import Execution
from pipeline.tracking.runs import (
    Point,
    Run,
    as_params,
    as_points,
    experiment_tag,
    stage_tags,
    valid,
)
from pipeline.tracking.store import TrackingError

NOT_CURVES = {"step", "model", "seed"}

Table = list[dict[str, str]]


def read_entries(root: Path, execution: Execution) -> list[ModelEntry]:
    """Return the models that a stage trained; ArtifactError if models.json is not sound."""
    path = f"data/{execution.stage}/{model_list.FILE}"
    return model_list.read(root / path) if path in execution.outs else []


def child_runs(root: Path, execution: Execution, entries: Sequence[ModelEntry]) -> list[Run]:
    """Return a run for each entry; TrackingError if a history is not a table of numbers."""
    folder = root / "data" / execution.stage
    read = cache(_table)  # one file holds the curves of many models
    runs = []
    for entry in entries:
        curves = [] if entry.history is None else _curves(folder, entry.history, read)
        last = max((step for _, _, step in curves), default=0)
        # A final value that the curve ends with already would be a second point there.
        known = set(curves)
        final = [point for point in as_points(entry.metrics, last) if point not in known]
        runs.append(
            Run(
                name=entry.name,
                params=as_params(entry.params),
                points=curves + final,
                tags={
                    **stage_tags(execution),
                    **experiment_tag([entry.name]),
                    "model": entry.name,
                },
                trained=entry,
            )
        )
    return runs


def _table(path: Path) -> Table:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TrackingError(f"{path.parent.name}/{path.name}: cannot be read: {error}") from error


def _curves(folder: Path, history: HistoryRows, read: Callable[[Path], Table]) -> list[Point]:
    where: Mapping[str, str] = {column: str(value) for column, value in history.where.items()}
    table = read(folder / history.file)
    rows = [row for row in table if all(row.get(column) == v for column, v in where.items())]
    if not rows:
        raise TrackingError(f"{folder.name}/{history.file}: no row with {where}")
    skipped = NOT_CURVES | where.keys()
    try:
        points = [
            (valid(column), float(cell), int(row["step"]))
            for row in rows
            for column, cell in row.items()
            if column not in skipped and cell
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise TrackingError(
            f"{folder.name}/{history.file}: expected a column step of integers and columns of "
            f"numbers, got {error}"
        ) from error
    return [point for point in points if not math.isnan(point[1])]
