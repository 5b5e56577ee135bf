"""O7: the recipe with each ingredient removed in turn, at equal iterations."""

from pathlib import Path

from pydantic import Field

from pipeline import trained
from pipeline.config import StageParams
from pipeline.labs.oscillator.recipe import RecipesConfig
from pipeline.stages._oscillator_recipe import train_recipes


class Params(StageParams):
    """The variants."""

    train: RecipesConfig = Field(alias="oscillator.train_ablation")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the trained variants."""
    trained.write(out, train_recipes(inputs, params.train))
