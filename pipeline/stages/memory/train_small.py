"""P6: the smallest memories, many repetitions, against the lower bound."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.sweeps import SweepConfig
from pipeline.stages.memory._runs import run_sweep


class Params(StageParams):
    """The grids and their training."""

    sweep: SweepConfig = Field(alias="memory.train_small")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves; the seeds of a point are stacked."""
    run_sweep("lookup_10", params.sweep.grids, params.sweep.training, inputs, out)
