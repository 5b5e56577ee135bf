"""P1, P4: accuracy against the number of heads, for every dimension."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.train.sweeps import SweepConfig
from pipeline.stages.memory._runs import read_power, train_sweep, write_sweep


class Params(StageParams):
    """The grids and their training."""

    sweep: SweepConfig = Field(alias="memory.train_heads")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves; the seeds of a point are stacked."""
    drawn = read_power(inputs, "lookup_50")
    write_sweep(out, train_sweep(params.sweep.cells(drawn)))
