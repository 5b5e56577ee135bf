"""P7: memories of 200 tokens, and of three layers; off unless ``memory.train_large.run``."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory import scaling
from pipeline.labs.memory.sweeps import LargeConfig
from pipeline.stages.memory._runs import read_power, train_cells, write_sweep


class Params(StageParams):
    """The grids, their training, and whether to train them."""

    large: LargeConfig = Field(alias="memory.train_large")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves; all of them empty while it is off."""
    large = params.large
    groups = []
    for grid, name in ((large.wide, "lookup_200"), (large.deep, "lookup_70")):
        laws = read_power(inputs, name)
        if large.run:
            groups += scaling.cells(grid.points, laws.laws(), laws.seeds, large.training)
    results = train_cells("P7", groups) if groups else []
    write_sweep(out, {"P7": (groups, results)})
