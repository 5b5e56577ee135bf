"""E1: overlap against load in the classical network, and its critical load."""

from pathlib import Path

import numpy as np
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import summary
from pipeline.labs.energy.measure import overlaps, printed
from pipeline.labs.energy.report import overlaps as report
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import records

THEORY_LOADS = np.linspace(0.01, 0.14, 131)
HEADLINE = ("E1.crossing_*.critical_load",)


class Params(StageParams):
    """The sizes, loads and draws."""

    classical: overlaps.ClassicalConfig = Field(alias="energy.classical")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:  # noqa: ARG001
    """Write the overlaps and the theory's curve; return ``E1.*``."""
    config = params.classical
    cells = overlaps.cells(config)
    measured = parallel.map_cells(overlaps.measure, cells, description="E1")
    draws = report.gather(cells, measured)
    records.write_table(
        out / "overlaps.csv", report.overlap_table(config, draws), report.OverlapRow
    )
    records.write_table(
        out / "theory.csv", report.mean_field_table(THEORY_LOADS), report.MeanFieldRow
    )
    seeds = tuple(range(config.seed, config.seed + config.draws))
    signs = printed.sign_of_gradient(seeds, config.compared_size, min(config.loads))
    return {"E1": {**report.results(config, draws), "printed_step": summary(signs)}}
