"""O7: the recipe with each ingredient removed in turn, at equal iterations."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.train.recipe import RecipesConfig, recipe_cells, train_recipe
from pipeline.runtime import training_record
from pipeline.runtime.formats import records


class Params(StageParams):
    """The variants."""

    train: RecipesConfig = Field(alias="oscillator.train_ablation")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the trained variants."""
    splits = {
        (data, part): records.read_arrays(inputs / "oscillator_data" / f"{data}_{part}.npz", Split)
        for data in params.train.data
        for part in ("train", "valid")
    }
    cells = recipe_cells(params.train, splits)
    training_record.write(out, training_record.train_cells(train_recipe, {"O7": cells}))
