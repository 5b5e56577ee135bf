"""E7: train transformers on associative recall, with and without the energy in the loss."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.layers import MemberModule
from pipeline.core.training.ensemble import History
from pipeline.labs.energy.data.recall import RecallConfig
from pipeline.labs.energy.train.recall import (
    RecallCell,
    RecallModelConfig,
    RecallTrainConfig,
    cells_of,
    train_cell,
)
from pipeline.runtime import parallel, training_record


class Params(StageParams):
    """The task, the model, and what it is trained on."""

    task: RecallConfig = Field(alias="energy.recall")
    model: RecallModelConfig = Field(alias="energy.recall_model")
    train: RecallTrainConfig = Field(alias="energy.train_recall")


def compute(cell: RecallCell) -> tuple[MemberModule, History]:
    """Train one cell in a worker."""
    return train_cell(cell, parallel.report)


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001
    """Write the models of every loss, all seeds."""
    train = params.train
    cells = cells_of(params.task, params.model, train)
    steps = len(cells) * train.training.steps
    trained = parallel.map_cells(compute, cells, description="E7", units=steps)
    done = []
    for name, loss in train.losses.items():
        groups = [part for cell, part in zip(cells, trained, strict=True) if cell.name == name]
        model, history = training_record.joined(groups)
        done.append(
            training_record.Trained(
                experiment="E7", name=name, seeds=train.seeds, model=model, history=history,
                params={
                    **model.config.model_dump(mode="json"),
                    **train.training.model_dump(mode="json"),
                    **{f"loss_{key}": value for key, value in loss.model_dump().items()},
                },
            )
        )  # fmt: skip
    training_record.write(out, done)
