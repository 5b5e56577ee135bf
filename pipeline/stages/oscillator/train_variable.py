"""O5: train the study's attention models on trajectories of varying frequency."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.config import Section, Seeds, StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.core.training.sampling import grouped
from pipeline.labs.oscillator.forecast import ForecastCell
from pipeline.labs.oscillator.models import LossKind, ShapeConfig
from pipeline.runtime import training_record
from pipeline.stages.oscillator._data import read_split
from pipeline.stages.oscillator._forecast import train_cells


class VariableTrainConfig(Section):
    """The models, all trained alike; ``members_per_cell`` seeds are stacked in one computation."""

    seeds: Seeds
    members_per_cell: Annotated[int, Field(ge=1)]
    loss: LossKind
    training: TrainingConfig
    models: Annotated[Mapping[str, ShapeConfig], Field(min_length=1)]
    register_as: str


class Params(StageParams):
    """The training of O5."""

    train: VariableTrainConfig = Field(alias="oscillator.train_variable")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the trained models; the first seed of the last one listed is registered by name."""
    train = read_split(inputs, "variable_train")["states"]
    valid = read_split(inputs, "variable_valid")["states"]
    cells = [
        ForecastCell(
            name=name,
            kind=Transformer,
            config=shape.transformer,
            seeds=seeds,
            loss=params.train.loss,
            training=params.train.training,
            train=train,
            valid=valid,
        )
        for name, shape in reversed(list(params.train.models.items()))
        for seeds in grouped(params.train.seeds, params.train.members_per_cell)
    ]
    # The largest last in the file and first to start, so that no core ends with it alone.
    done = train_cells("O5", cells)[::-1]
    example = train[:2, :-1].to(params.train.training.torch_dtype)
    done[-1] = replace(done[-1], register=params.train.register_as, example=example)
    training_record.write(out, done)
