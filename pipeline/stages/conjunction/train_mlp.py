"""C4: train the tutorial's MLP on every task, a data set for each seed."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipeline.config import Section, StageParams
from pipeline.labs.conjunction.datasets import DataConfig
from pipeline.labs.conjunction.training import PerceptronFit
from pipeline.runtime import training_record
from pipeline.stages.conjunction._training import compare_cells, train_cells


class TrainConfig(Section):
    """The model and its training; ``members_per_cell`` seeds share one computation."""

    members_per_cell: Annotated[int, Field(ge=1)]
    fit: PerceptronFit


class Params(StageParams):
    """The training, and the names of the tasks."""

    data: DataConfig = Field(alias="conjunction.compare")
    train: TrainConfig = Field(alias="conjunction.train_mlp")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models, one name a task."""
    config = params.train
    cells = compare_cells("mlp", config.fit, params.data, inputs, config.members_per_cell)
    training_record.write(out, train_cells("C4", cells))
