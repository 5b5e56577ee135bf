"""O3: train one-layer attention on one frequency, for each damping and each recipe."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from pipeline.config import Section, Seeds, StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.labs.oscillator import datasets
from pipeline.labs.oscillator.forecast import ForecastCell
from pipeline.labs.oscillator.models import ShapeConfig
from pipeline.runtime import training_record
from pipeline.stages.oscillator._data import read_split
from pipeline.stages.oscillator._forecast import train_cells


class FixedTrainConfig(Section):
    """The model, its recipe, and others to compare with, each over the same seeds."""

    seeds: Seeds
    model: ShapeConfig
    training: TrainingConfig
    other_recipes: Mapping[str, TrainingConfig]


class Params(StageParams):
    """The training of O3."""

    train: FixedTrainConfig = Field(alias="oscillator.train_fixed")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write models named ``gamma_0`` and, by another recipe, ``gamma_0_study``.

    The seeds of a model are stacked in one cell.
    """
    recipes = {"": params.train.training}
    recipes |= {f"_{name}": training for name, training in params.train.other_recipes.items()}
    train = datasets.by_gamma(read_split(inputs, "fixed_train"))
    valid = datasets.by_gamma(read_split(inputs, "fixed_test"))
    cells = [
        ForecastCell(
            name=gamma + recipe,
            kind=Transformer,
            config=params.train.model.transformer,
            seeds=params.train.seeds,
            loss="last",
            training=training,
            train=states,
            valid=valid[gamma][:, :2],
        )
        for recipe, training in recipes.items()
        for gamma, states in train.items()
    ]
    training_record.write(out, train_cells("O3", cells))
