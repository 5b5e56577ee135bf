"""M5, M6, M7: the memories that are looked into."""

from pathlib import Path

from pydantic import Field

from pipeline import artifacts, trained
from pipeline.config import StageParams
from pipeline.labs.memory import datasets, notebook
from pipeline.stages._memory import as_trained, read_power, train_cells


class Params(StageParams):
    """The models and their training."""

    inside: notebook.InsideConfig = Field(alias="memory.train_inside")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models ``M5.maps``, ``M6.heads`` and ``M7.superposition`` and their loss curves."""
    config, engine = params.inside, params.inside.training
    maps, heads = read_power(inputs, "maps"), read_power(inputs, "heads")
    arrays = artifacts.read_tensors(
        inputs / "memory_laws" / "superposition.npz", **datasets.DENSE
    )
    laws, seeds = datasets.dense_laws(arrays), arrays["seeds"].tolist()
    skips = notebook.no_residual()
    cells = {
        "M5": notebook.one("maps", config.maps_model.model(maps.N, engine.initial, skips), maps, engine),
        "M6": notebook.one("heads", config.heads_model.model(heads.N, engine.initial, skips), heads, engine),
        "M7": notebook.cell(
            "superposition", config.superposition_model.model(laws[0].N, engine.initial), laws, seeds, engine
        ),
    }  # fmt: skip
    results = train_cells("M5, M6, M7", list(cells.values()))
    trained.write(
        out,
        [as_trained(name, c, r) for (name, c), r in zip(cells.items(), results, strict=True)],
    )
