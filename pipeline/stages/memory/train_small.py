"""P6: the smallest memories, many repetitions, against the lower bound."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.train.sweeps import EndedConfig
from pipeline.stages.memory._runs import read_power, train_long_sweep, write_sweep


class Params(StageParams):
    """The grids and their training."""

    sweep: EndedConfig = Field(alias="memory.train_small")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves; the seeds of a point are stacked."""
    drawn = read_power(inputs, "lookup_10")
    write_sweep(out, train_long_sweep(params.sweep.cells(drawn)))
