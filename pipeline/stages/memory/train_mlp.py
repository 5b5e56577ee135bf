"""P5: MLP memory against attention memory at equal parameter count."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.train.sweeps import ComparedConfig
from pipeline.stages.memory._runs import read_power, train_long_sweep, write_sweep


class Params(StageParams):
    """The grid and both trainings."""

    compared: ComparedConfig = Field(alias="memory.train_mlp")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves; the seeds of a point are stacked."""
    drawn = read_power(inputs, "lookup_70")
    write_sweep(out, train_long_sweep(params.compared.cells(drawn)))
