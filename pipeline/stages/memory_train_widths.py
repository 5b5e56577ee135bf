"""P2, P3: accuracy against the heads' dimension, and against the embedding's."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory import scaling
from pipeline.labs.memory.sweeps import SweepConfig
from pipeline.stages._memory import read_power, train_cells, write_sweep


class Params(StageParams):
    """The grids and their training."""

    sweep: SweepConfig = Field(alias="memory.train_widths")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves; the seeds of a point are stacked."""
    laws, engine = read_power(inputs, "lookup_50"), params.sweep.training
    cells = {
        name: scaling.cells(grid.points, laws.laws(), laws.seeds, engine)
        for name, grid in params.sweep.grids.items()
    }
    results = iter(train_cells("P2, P3", [cell for group in cells.values() for cell in group]))
    write_sweep(
        out, {name: (group, [next(results) for _ in group]) for name, group in cells.items()}
    )
