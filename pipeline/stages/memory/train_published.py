"""P1 by the published protocol at a few points: its minibatches, and accuracy on them."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.train.sweeps import ChosenConfig
from pipeline.stages.memory._runs import read_power, train_long_sweep, write_sweep


class Params(StageParams):
    """The points and their training."""

    chosen: ChosenConfig = Field(alias="memory.train_published")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves; the seeds of a point are stacked."""
    drawn = read_power(inputs, "lookup_50")
    write_sweep(out, train_long_sweep(params.chosen.cells(drawn)))
