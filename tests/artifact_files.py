"""What tests of artifacts share: a file of every kind, and catching the line that refuses one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, settings
from matplotlib.figure import Figure

from pipeline.runtime.formats import artifacts, drawings
from pipeline.runtime.formats.artifacts import ArtifactError

SCHEMA = {"states": "float64 trajectory time 2", "omega0": "float64 trajectory"}
STATES = {"states": np.arange(24.0).reshape(3, 4, 2), "omega0": np.ones(3)}
TABLE = pd.DataFrame({"model": ["a", "b"], "seed": [0, 1], "loss": [1 / 3, 1e-17]})
CONTENT = {"O3": {"gamma_0": {"error": 1e-5, "n": 5}}}
# A property's examples write the same file anew, so that one temporary folder serves them all.
folder_reused = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


@dataclass(frozen=True)
class Row:
    """A table's row with a column of every kind."""

    model: str
    seed: int
    loss: float
    solved: bool
    limit: float | None


def drawing() -> Figure:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1, 2], [1.0, 0.5, 0.7], label="x")
    axes.fill_between([0, 1, 2], 0.2, 0.4)
    axes.legend()
    return figure


WRITERS: dict[str, Callable[[Path], None]] = {
    "states.npz": lambda path: artifacts.write_npz(path, **STATES),
    "table.csv": lambda path: artifacts.write_csv(path, TABLE),
    "metrics.json": lambda path: artifacts.write_json(path, CONTENT),
    "figure.png": lambda path: drawings.write_figure(path, drawing()),
    "figure.svg": lambda path: drawings.write_figure(path, drawing()),
}
READERS: dict[str, Callable[[Path], Any]] = {
    "states.npz": lambda path: artifacts.read_npz(path, **SCHEMA),
    "table.csv": lambda path: artifacts.read_csv(path, list(TABLE)),
    "metrics.json": artifacts.read_json,
}


def stage_file(folder: Path, name: str) -> Path:
    path = folder / "some_stage" / name
    path.parent.mkdir(exist_ok=True)
    return path


def refusal(read: Callable[[Path], Any], path: Path) -> str:
    """The one line that refuses a file: it names stage, file and the way out."""
    with pytest.raises(ArtifactError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"some_stage/{path.name}: ")
    assert message.endswith(
        f"; restore it: dvc checkout -f data/some_stage/{path.name}, "
        "or remake it: dvc repro -f -s some_stage"
    )
    assert len(message.splitlines()) == 1
    return message
