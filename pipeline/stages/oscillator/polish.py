"""O7: finish a small model by Levenberg-Marquardt in float64."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import StageParams
from pipeline.core.nn.layers import concatenate
from pipeline.labs.oscillator.equivariant import Equivariant
from pipeline.labs.oscillator.polish import PolishCell, PolishConfig, polish
from pipeline.labs.oscillator.recipe import RecipesConfig
from pipeline.runtime import artifacts, parallel, saved_models, training_record
from pipeline.stages.oscillator._data import read_split


class Params(StageParams):
    """Which model, and how long."""

    polish: PolishConfig = Field(alias="oscillator.polish")
    recipes: RecipesConfig = Field(alias="oscillator.train_recipe")

    @model_validator(mode="after")
    def _trained(self) -> "Params":
        known = sorted(self.recipes.models)
        if self.polish.model not in known:
            raise ValueError(
                f"oscillator.polish.model must be one of {known}, got {self.polish.model!r}"
            )
        return self


def compute(cell: PolishCell) -> tuple[Equivariant, float]:
    """Polish one member in a worker."""
    return polish(cell, parallel.report)


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the polished members of one model of the recipe, as ``NAME_polished``."""
    config, folder = params.polish, inputs / "oscillator_train_recipe"
    models = saved_models.read_models(folder / "models.safetensors", Equivariant)
    entries = artifacts.read_json(folder / "models.json")
    own = [e for e in entries if e["model"]["name"] == config.model]
    model, data = models[config.model], read_split(inputs, f"{own[0]['params']['data']}_train")
    cells = [PolishCell(model.member(k), data, config) for k in range(model.members)]
    units = config.optimizer.iterations * len(cells)
    done = parallel.map_cells(compute, cells, description="O7 polish", units=units)
    polished = training_record.Trained(
        experiment="O7",
        name=f"{config.model}_polished",
        seeds=[entry["params"]["seed"] for entry in own],
        model=concatenate([member for member, _ in done]),
        history=None,
        params=config.model_dump(mode="json"),
        metrics={"loss": training_record.tensor([value for _, value in done])},
    )
    training_record.write(out, [polished])
