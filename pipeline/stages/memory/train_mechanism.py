"""M5, M6, M7: the memories that are looked into."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory import datasets, notebook
from pipeline.runtime import artifacts
from pipeline.stages.memory._runs import read_power, train_cells, write_runs


class Params(StageParams):
    """The models and their training."""

    inside: notebook.InsideConfig = Field(alias="memory.train_inside")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models ``maps``, ``heads`` and ``superposition`` and their loss curves."""
    config, engine = params.inside, params.inside.training
    maps, heads = read_power(inputs, "maps"), read_power(inputs, "heads")
    arrays = artifacts.read_tensors(inputs / "memory_laws" / "superposition.npz", **datasets.DENSE)
    laws, seeds = datasets.dense_laws(arrays), arrays["seeds"].tolist()
    skips = notebook.no_residual()
    maps_model = config.maps_model.model(maps.N, engine.initial, skips)
    heads_model = config.heads_model.model(heads.N, engine.initial, skips)
    vectors_model = config.superposition_model.model(laws[0].N, engine.initial)
    cells = {
        "M5": notebook.one("maps", maps_model, maps, engine),
        "M6": notebook.one("heads", heads_model, heads, engine),
        "M7": notebook.cell("superposition", vectors_model, laws, seeds, engine),
    }
    results = train_cells("M5, M6, M7", list(cells.values()))
    write_runs(out, [(name, c, r) for (name, c), r in zip(cells.items(), results, strict=True)])
