"""What the energy lab's stages share: how much E7 measures, and reading results for the figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from pipeline import artifacts
from pipeline.config import Section
from pipeline.figures.energy_landscape import Surface

TABLES = {
    "energy_classical/overlaps": ("dynamics", "diagonal", "d", "load", "overlap", "low", "high",
                                  "mean", "retrieved"),
    "energy_classical/theory": ("load", "overlap"),
    "energy_capacity/capacity": ("experiment", "curve", "d", "log2_n", "low", "high", "theory",
                                 "n"),
    "energy_continuous/descent": ("gamma", "uphill", "low", "high"),
    "energy_likelihood/losses": ("set", "model", "loss", "low", "high", "n"),
    "energy_descent/descent": ("layer", "quantity", "median", "low", "high", "n"),
    "energy_recall_train/history": ("model", "seed", "step", "validation_accuracy", "alignment"),
}  # fmt: skip
ONE_STEP = dict.fromkeys(("beta_delta", "error", "bound"), "float64 query")
PHASES = {
    "betas": "float64 beta",
    "similarities": "float64 similarity",
    "fraction": "float64 3 similarity beta",
    "effective": "float64 similarity beta",
    "branch_betas": "float64 branch",
    "number": "float64 2 3 branch",
    "energy": "float64 2 3 branch",
}
SURFACE = {
    "axis": "float64 x",
    "energy": "float64 x x",
    "basin": "int64 x x",
    "attractors": "float64 {k} 2",
    "paths": "float64 step path 2",
}


class DescentConfig(Section):
    """``sequences`` for each model; ``seed`` of the random directions."""

    sequences: Annotated[int, Field(ge=2)]
    seed: Annotated[int, Field(ge=0, lt=2**32)]


def table(inputs: Path, name: str) -> pd.DataFrame:
    """Read a table by its name, STAGE/FILE."""
    return artifacts.read_csv(inputs / f"{name}.csv", TABLES[name])


def metrics(inputs: Path, stage: str) -> Any:
    """Read the metrics of a stage."""
    return artifacts.read_json(inputs / stage / "metrics.json")


def surfaces(inputs: Path, betas: Sequence[float]) -> list[Surface]:
    """Read the landscapes, one for each beta."""
    path = inputs / "energy_continuous" / "landscape.npz"
    found = []
    for k, beta in enumerate(betas):
        expected = {
            f"{name}_{k}": axes.format(k=f"attractor_{k}") for name, axes in SURFACE.items()
        }
        arrays = artifacts.read_npz(path, **expected)
        found.append(Surface(beta, **{name: arrays[f"{name}_{k}"] for name in SURFACE}))
    return found


def examples(inputs: Path, sets: Sequence[str]) -> dict[str, Any]:
    """Read the first seed's points and patterns of every point set."""
    expected = {f"{name}.points": "float64 point 2" for name in sets}
    for model in ("energy", "energy_origin", "em"):
        expected |= {f"{name}.{model}": "float64 pattern 2" for name in sets}
    return dict(artifacts.read_npz(inputs / "energy_likelihood" / "examples.npz", **expected))
