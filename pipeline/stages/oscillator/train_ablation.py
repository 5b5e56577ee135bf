"""O7: the recipe with each ingredient removed in turn, at equal iterations."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.oscillator.recipe import RecipesConfig
from pipeline.runtime import training_record
from pipeline.stages.oscillator._recipe import train_recipes


class Params(StageParams):
    """The variants."""

    train: RecipesConfig = Field(alias="oscillator.train_ablation")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the trained variants."""
    training_record.write(out, train_recipes(inputs, params.train))
