"""P7: memories of 200 tokens, and of three layers; left out without ``memory.train_large.run``."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.train.sweeps import LargeConfig
from pipeline.stages.memory._runs import read_power, train_long_sweep, write_sweep


class Params(StageParams):
    """The grids, their training, and whether to train them."""

    large: LargeConfig = Field(alias="memory.train_large")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves; all of them empty while it is off."""
    wide, deep = read_power(inputs, "lookup_200"), read_power(inputs, "lookup_70")
    write_sweep(out, train_long_sweep(params.large.cells(wide, deep)))
