"""The energy lab's results, read for its figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.figures.energy.landscape import Surface
from pipeline.runtime import artifacts

TABLES = {
    "classical/overlaps": ("dynamics", "diagonal", "d", "load", "overlap", "low", "high",
                           "mean", "retrieved"),
    "classical/theory": ("load", "overlap"),
    "capacity/capacity": ("experiment", "curve", "d", "log2_n", "low", "high", "theory", "n"),
    "continuous/descent": ("gamma", "uphill", "low", "high"),
    "likelihood/losses": ("set", "model", "loss", "low", "high", "n"),
    "descent/descent": ("layer", "quantity", "median", "low", "high", "n"),
    "recall_train/history": ("model", "seed", "step", "validation_accuracy", "alignment"),
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
    "attractors": "float64 attractor_{k} 2",
    "paths": "float64 step path 2",
}


class Results:
    """What the stages wrote, for the figures; a stage's name here is without ``energy_``."""

    def __init__(self, inputs: Path):
        self.inputs = inputs

    def folder(self, stage: str) -> Path:
        """Return the folder of a stage."""
        return self.inputs / f"energy_{stage}"

    def table(self, name: str) -> pd.DataFrame:
        """Read a table by its name, STAGE/FILE."""
        stage, file = name.split("/")
        return artifacts.read_csv(self.folder(stage) / f"{file}.csv", TABLES[name])

    def metrics(self, stage: str) -> Any:
        """Read the metrics of a stage, by experiment."""
        return artifacts.read_json(self.folder(stage) / "results.json")

    def one_step(self) -> artifacts.Arrays:
        """Read the errors of E4's queries."""
        return artifacts.read_npz(self.folder("continuous") / "one_step.npz", **ONE_STEP)

    def phases(self) -> artifacts.Arrays:
        """Read E5's diagram and branches."""
        return artifacts.read_npz(self.folder("continuous") / "phases.npz", **PHASES)

    def surfaces(self, betas: Sequence[float]) -> list[Surface]:
        """Read the landscapes, one for each beta."""
        path = self.folder("continuous") / "landscape.npz"
        found = []
        for k, beta in enumerate(betas):
            expected = {f"{name}_{k}": axes.format(k=k) for name, axes in SURFACE.items()}
            arrays = artifacts.read_npz(path, **expected)
            found.append(Surface(beta, **{name: arrays[f"{name}_{k}"] for name in SURFACE}))
        return found

    def examples(self, losses: pd.DataFrame) -> artifacts.Arrays:
        """Read the first seed's points and patterns of every point set."""
        sets = list(dict.fromkeys(losses["set"]))
        expected = {f"{name}.points": "float64 point 2" for name in sets}
        for model in ("energy", "energy_origin", "em"):
            expected |= {f"{name}.{model}": "float64 pattern 2" for name in sets}
        return artifacts.read_npz(self.folder("likelihood") / "examples.npz", **expected)
