"""O4: one-layer attention on one frequency, T = 40: whole-sequence against last-position loss."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from pipeline.config import Section, Seeds, StageParams, distinct
from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.labs.oscillator.forecast import ForecastCell
from pipeline.labs.oscillator.models import LossKind, ShapeConfig
from pipeline.runtime import training_record
from pipeline.stages.oscillator._data import read_split
from pipeline.stages.oscillator._forecast import train_cells


class SequenceTrainConfig(Section):
    """The model, trained alike with each of the losses."""

    seeds: Seeds
    model: ShapeConfig
    losses: Annotated[tuple[LossKind, ...], Field(min_length=1), AfterValidator(distinct)]
    training: TrainingConfig


class Params(StageParams):
    """The training of O4."""

    train: SequenceTrainConfig = Field(alias="oscillator.train_sequence")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models ``last`` and ``sequence``, named by their loss; one seed in a cell."""
    train = read_split(inputs, "sequence_train")["states"]
    valid = read_split(inputs, "sequence_valid")["states"]
    cells = [
        ForecastCell(
            name=loss,
            kind=Transformer,
            config=params.train.model.transformer,
            seeds=[seed],
            loss=loss,
            training=params.train.training,
            train=train,
            valid=valid,
        )
        for loss in params.train.losses
        for seed in params.train.seeds
    ]
    training_record.write(out, train_cells("O4", cells))
