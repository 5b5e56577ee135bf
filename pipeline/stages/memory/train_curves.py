"""M1: learning curves by full divergence and by next tokens."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory import notebook
from pipeline.stages.memory._runs import read_power, train_cells, write_runs

LAWS = ("certain", "uncertain")


class Params(StageParams):
    """The model and its training."""

    curves: notebook.CurvesConfig = Field(alias="memory.train_curves")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves."""
    laws = {name: read_power(inputs, f"curves_{name}") for name in LAWS}
    cells = notebook.curves(params.curves, laws)
    results = train_cells("M1", cells)
    write_runs(out, [("M1", cell, r) for cell, r in zip(cells, results, strict=True)])
