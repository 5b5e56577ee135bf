"""The low-rank optimum of every distribution whose models it bounds (M1, M3, M7, M8, M9)."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.data.draw import TabulatedDistributions
from pipeline.labs.memory.train import low_rank
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import records, saved_models
from pipeline.stages.memory._runs import read_power


class Params(StageParams):
    """The fits."""

    fits: low_rank.LowRankTrainConfig = Field(alias="memory.train_low_rank")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, and the models of the tabulated entries as models.safetensors."""
    searches = []
    for name in params.fits.d:
        if name in low_rank.POWER:
            drawn = read_power(inputs, name).all()
        else:
            file = inputs / "memory_data" / f"{name}.npz"
            drawn = records.read_arrays(file, TabulatedDistributions).all()
        searches += low_rank.searches(params.fits, name, drawn)
    optima = parallel.map_cells(low_rank.optimum, searches, description="low rank")
    records.write_table(out / "table.csv", low_rank.table(searches, optima), low_rank.LowRankRow)
    models = low_rank.kept_models(searches, optima)
    saved_models.write_models(out / "models.safetensors", models)
