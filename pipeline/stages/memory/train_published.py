"""P1 by the published protocol at a few points: its sampled batches and its yardstick."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory import scaling
from pipeline.labs.memory.sweeps import ChosenConfig
from pipeline.stages.memory._runs import read_power, train_cells, write_sweep


class Params(StageParams):
    """The points and their training."""

    chosen: ChosenConfig = Field(alias="memory.train_published")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves."""
    laws = read_power(inputs, "lookup_50")
    cells = scaling.cells(params.chosen.sizes(), laws.laws(), laws.seeds, params.chosen.training)
    write_sweep(out, {"P1": (cells, train_cells("P1, published", cells))})
