"""O7: train the models of the recipe."""

from pathlib import Path

from pydantic import Field

from pipeline import trained
from pipeline.config import StageParams
from pipeline.labs.oscillator.recipe import RecipesConfig
from pipeline.stages._oscillator_recipe import train_recipes


class Params(StageParams):
    """The training of O7."""

    train: RecipesConfig = Field(alias="oscillator.train_recipe")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the trained models."""
    trained.write(out, train_recipes(inputs, params.train))
