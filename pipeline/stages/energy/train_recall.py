"""E7: train transformers on associative recall, with and without the energy in the loss."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.energy.data.recall import RecallConfig
from pipeline.labs.energy.train.recall import (
    RecallModelConfig,
    RecallTrainConfig,
    cells_of,
    train_cell,
)
from pipeline.runtime import training_record


class Params(StageParams):
    """The task, the model, and what it is trained on."""

    task: RecallConfig = Field(alias="energy.recall")
    model: RecallModelConfig = Field(alias="energy.recall_model")
    train: RecallTrainConfig = Field(alias="energy.train_recall")


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001
    """Write the models of every loss, all seeds."""
    cells = cells_of(params.task, params.model, params.train)
    training_record.write(out, training_record.train_cells(train_cell, {"E7": cells}))
