"""P5: MLP memory against attention memory at equal parameter count."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory import scaling
from pipeline.labs.memory.sweeps import ComparedConfig
from pipeline.stages.memory._runs import read_power, train_cells, write_sweep


class Params(StageParams):
    """The grid and both trainings."""

    compared: ComparedConfig = Field(alias="memory.train_mlp")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves; the seeds of a point are stacked."""
    laws, compared = read_power(inputs, "lookup_70"), params.compared
    cells = [
        cell
        for mlp, engine in ((False, compared.attention), (True, compared.mlp))
        for cell in scaling.cells(
            [point for point in compared.grid.points if point.mlp == mlp],
            laws.laws(), laws.seeds, engine,
        )
    ]  # fmt: skip
    write_sweep(out, {"P5": (cells, train_cells("P5", cells))})
