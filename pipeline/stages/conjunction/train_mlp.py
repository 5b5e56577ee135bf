"""C4: train the tutorial's MLP on every task, a data set for each seed."""

from pathlib import Path

from pydantic import Field

from pipeline.bounds import Members
from pipeline.config import Section, StageParams
from pipeline.labs.conjunction.data.accuracy_data import AccuracyData
from pipeline.labs.conjunction.data.datasets import file_of, unpack
from pipeline.labs.conjunction.train.fit import FitCell, MLPFit, fit, task_cells
from pipeline.runtime import training_record
from pipeline.runtime.formats import records


class TrainConfig(Section):
    """The model and its training; ``members_per_cell`` seeds share one computation."""

    members_per_cell: Members
    fit: MLPFit


class Params(StageParams):
    """The training, and the tasks with their seeds."""

    data: AccuracyData = Field(alias="conjunction.accuracy_data")
    train: TrainConfig = Field(alias="conjunction.train_mlp")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models, one name a task."""
    config, work = params.train, list[FitCell]()
    for file, group in params.data.groups.items():
        path = inputs / "conjunction_data" / f"{file}.npz"
        data = unpack(records.read_arrays(path, file_of(group.tasks)), group.tasks)
        work += task_cells("mlp", config.fit, group.seeds, data, config.members_per_cell)
    training_record.write(out, training_record.train_cells(fit, {"C4": work}))
