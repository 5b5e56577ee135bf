"""E1: overlap against load in the classical network, and its critical load."""

from pathlib import Path

import numpy as np
from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.energy import loading, transition
from pipeline.runtime import artifacts, parallel

THEORY_LOADS = np.linspace(0.01, 0.14, 131)


HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The sizes, loads and draws."""

    classical: loading.ClassicalConfig = Field(alias="energy.classical")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:  # noqa: ARG001
    """Write the overlaps and the theory's curve; return ``E1.*``."""
    config = params.classical
    cells = loading.cells(config)
    measured = parallel.map_cells(loading.measure, cells, description="E1")
    results = transition.gather(cells, measured)
    artifacts.write_csv(out / "overlaps.csv", transition.curves(config, results))
    artifacts.write_csv(out / "theory.csv", transition.theory(THEORY_LOADS))
    return {"E1": transition.metrics(config, results)}
