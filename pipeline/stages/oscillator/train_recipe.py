"""O7: train the models of the recipe."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.oscillator.recipe import RecipesConfig
from pipeline.runtime import training_record
from pipeline.stages.oscillator._recipe import train_recipes


class Params(StageParams):
    """The training of O7."""

    train: RecipesConfig = Field(alias="oscillator.train_recipe")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the trained models."""
    training_record.write(out, train_recipes(inputs, params.train))
