"""O7: finish a small model by Levenberg-Marquardt in float64."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline import artifacts, execution, trained
from pipeline.config import StageParams
from pipeline.core.equivariant import Equivariant
from pipeline.core.layers import concatenate
from pipeline.labs.oscillator.polish import PolishCell, PolishConfig, polish
from pipeline.labs.oscillator.recipe import RecipesConfig
from pipeline.stages._oscillator_data import read_split


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
    return polish(cell, execution.report)


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the polished members of one model of the recipe, as ``NAME_polished``."""
    config, folder = params.polish, inputs / "oscillator_train_recipe"
    models = artifacts.read_models(folder / "models.safetensors", Equivariant)
    entries = artifacts.read_json(folder / "models.json")
    own = [e for e in entries if e["model"]["name"] == config.model]
    model, data = models[config.model], read_split(inputs, f"{own[0]['params']['data']}_train")
    cells = [PolishCell(model.member(k), data, config) for k in range(model.members)]
    units = config.optimizer.iterations * len(cells)
    done = execution.map_cells(compute, cells, description="O7 polish", units=units)
    polished = trained.Trained(
        experiment="O7",
        name=f"{config.model}_polished",
        seeds=[entry["params"]["seed"] for entry in own],
        model=concatenate([member for member, _ in done]),
        history=None,
        params=config.model_dump(mode="json"),
        metrics={"loss": trained.tensor([value for _, value in done])},
    )
    trained.write(out, [polished])
