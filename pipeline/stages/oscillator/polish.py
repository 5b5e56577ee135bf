"""O7: finish a small model by Levenberg-Marquardt in float64."""

from pathlib import Path
from typing import cast

from pydantic import Field, model_validator

from pipeline.bounds import refuse_large
from pipeline.config import StageParams
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.models.forecasters import FORECASTERS
from pipeline.labs.oscillator.train.polish import PolishConfig, polish, polish_cells
from pipeline.labs.oscillator.train.recipe import Model, RecipesConfig
from pipeline.runtime import training_record
from pipeline.runtime.formats import records, saved_models


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
        shape = self.recipes.models[self.polish.model].transformer
        layers = 4 * shape.n_layers * shape.d_model**2  # the rest of the parameters are few
        refuse_large(
            "oscillator.polish: samples * d_out * parameters, the Jacobian,",
            self.polish.samples, shape.d_out, layers,
        )  # fmt: skip
        return self


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the polished members of one model of the recipe, as ``NAME_polished``."""
    name = params.polish.model
    models = saved_models.read_models(
        inputs / "oscillator_train_recipe" / "models.safetensors", *FORECASTERS
    )
    data = records.read_arrays(
        inputs / "oscillator_data" / f"{params.recipes.models[name].data}_train.npz", Split
    )
    cells = polish_cells(params.polish, cast(Model, models[name]), params.recipes.seeds, data)
    training_record.write(out, training_record.train_cells(polish, {"O7": cells}))
