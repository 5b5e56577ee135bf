"""M3: the loss against each size alone, by two budgets of steps."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.train.sizes import ENTRIES, SizesConfig
from pipeline.stages.memory._runs import read_power, train_sweep, write_sweep


class Params(StageParams):
    """The base model, the axes and the training."""

    sizes: SizesConfig = Field(alias="memory.train_sizes")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves; the seeds of a model are stacked."""
    drawn = {name: read_power(inputs, name) for name in ENTRIES}
    write_sweep(out, train_sweep(params.sizes.cells(drawn)))
