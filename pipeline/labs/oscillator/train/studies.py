"""The trainings of the study's own experiments, O3 to O6: sections of params.yaml, and cells."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.bounds import Members
from pipeline.config import Section, Seeds, distinct
from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.sampling import grouped
from pipeline.labs.oscillator.data.fixed import by_gamma
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.models.attention import N_CHANNELS, ShapeConfig
from pipeline.labs.oscillator.train.forecast import ForecastCell, LossKind


class FixedTrainConfig(Section):
    """O3: the model, its recipe, and others to compare with, each over the same seeds."""

    seeds: Seeds
    model: ShapeConfig
    training: TrainingConfig
    other_recipes: Mapping[str, TrainingConfig]

    @property
    def recipes(self) -> dict[str, TrainingConfig]:
        """The trainings by what ends a model's name: nothing, ``_study``."""
        return {"": self.training} | {f"_{name}": each for name, each in self.other_recipes.items()}


class SequenceTrainConfig(Section):
    """O4: the model, trained alike with each of the losses."""

    seeds: Seeds
    model: ShapeConfig
    losses: Annotated[tuple[LossKind, ...], Field(min_length=1), AfterValidator(distinct)]
    training: TrainingConfig


class VariableTrainConfig(Section):
    """O5: models, all trained alike; ``members_per_cell`` seeds are stacked in one computation."""

    seeds: Seeds
    members_per_cell: Members
    loss: LossKind
    training: TrainingConfig
    models: Annotated[Mapping[str, ShapeConfig], Field(min_length=1)]
    register_as: str


class LinearTrainConfig(Section):
    """O6: the training by gradient; the normal equation needs nothing."""

    seeds: Seeds
    training: TrainingConfig


def fixed_cells(config: FixedTrainConfig, train: Split, test: Split) -> list[ForecastCell]:
    """Return O3's work, models named ``gamma_0`` and, by another recipe, ``gamma_0_study``.

    The seeds of a model are stacked in one cell.
    """
    pairs, tests = by_gamma(train), by_gamma(test)
    return [
        ForecastCell(
            name=gamma + ending,
            kind=Transformer,
            config=config.model.transformer,
            seeds=config.seeds,
            loss="last",
            training=training,
            train=pairs[gamma].states,
            valid=tests[gamma].states[:, :2],
        )
        for ending, training in config.recipes.items()
        for gamma in pairs
    ]


def gamma_of(model: str) -> str:
    """Return the damping's part of the name of one of O3's models: ``gamma_0.1_study``."""
    return "_".join(model.split("_")[:2])


def sequence_cells(config: SequenceTrainConfig, train: Split, valid: Split) -> list[ForecastCell]:
    """Return O4's work, models named by their loss; one seed in a cell."""
    return [
        ForecastCell(
            name=loss,
            kind=Transformer,
            config=config.model.transformer,
            seeds=[seed],
            loss=loss,
            training=config.training,
            train=train.states,
            valid=valid.states,
        )
        for loss in config.losses
        for seed in config.seeds
    ]


def variable_cells(config: VariableTrainConfig, train: Split, valid: Split) -> list[ForecastCell]:
    """Return O5's work, models in the order of the section."""
    return [
        ForecastCell(
            name=name,
            kind=Transformer,
            config=shape.transformer,
            seeds=seeds,
            loss=config.loss,
            training=config.training,
            train=train.states,
            valid=valid.states,
        )
        for name, shape in config.models.items()
        for seeds in grouped(config.seeds, config.members_per_cell)
    ]


def linear_cell(config: LinearTrainConfig, train: Split, valid: Split) -> ForecastCell:
    """Return O6's work, the linear model of a window by gradient descent, ``linear_gradient``."""
    window = train.states.shape[1] - 1
    return ForecastCell(
        name="linear_gradient",
        kind=LinearWindow,
        config=LinearWindowConfig(window=window, d_in=N_CHANNELS, d_out=N_CHANNELS),
        seeds=config.seeds,
        loss="last",
        training=config.training,
        train=train.states,
        valid=valid.states,
    )
