"""M1: learning curves by full divergence and by next tokens."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.train.variants import CurvesConfig
from pipeline.stages.memory._runs import read_power, train_sweep, write_runs


class Params(StageParams):
    """The model and its training."""

    curves: CurvesConfig = Field(alias="memory.train_curves")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves."""
    drawn = {name: read_power(inputs, f"curves_{name}") for name in ("certain", "uncertain")}
    write_runs(out, train_sweep(params.curves.cells(drawn)))
