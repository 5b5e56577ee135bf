"""C4: accuracy and loss of the MLP and of self-attention on the same data sets."""

from functools import partial
from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.labs.conjunction.data.accuracy_data import AccuracyData
from pipeline.labs.conjunction.data.datasets import DataConfig, DataSets, file_of, unpack
from pipeline.labs.conjunction.models.attention import BinaryAttention
from pipeline.labs.conjunction.models.mlp import BinaryMLP
from pipeline.labs.conjunction.report import accuracy
from pipeline.labs.conjunction.report.accuracy import AccuracyRow, ScoreRow
from pipeline.runtime.formats import records, saved_models

HEADLINE = ("C4.s2_*.accuracy", "C4.s4_balanced_*.accuracy", "C4.s2_paired.decided")


class Params(StageParams):
    """The tasks and seeds."""

    data: AccuracyData = Field(alias="conjunction.accuracy_data")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:
    """Write every seed's scores and the table; return ``C4.TASK_MODEL.*``, ``C4.TASK_paired.*``."""
    tasks = params.data.tasks
    data = params.data.read(partial(read_data, inputs))
    models = {}
    for name in accuracy.MODELS:
        path = inputs / f"conjunction_train_{name}" / "models.safetensors"
        trained = saved_models.read_models(path, BinaryAttention, BinaryMLP)
        models[name] = {task: trained[f"{task}_{name}"] for task in tasks}
    results, scores = accuracy.measure(data, models)
    records.write_table(out / "scores.csv", accuracy.score_table(tasks, scores), ScoreRow)
    table = accuracy.accuracy_table(tasks, results)
    records.write_table(out / "accuracy.csv", table, AccuracyRow)
    return {"C4": results}


def read_data(inputs: Path, file: str, group: DataConfig) -> dict[str, DataSets]:
    """Read the data sets of a group's tasks."""
    path = inputs / "conjunction_data" / f"{file}.npz"
    return unpack(records.read_arrays(path, file_of(group.tasks)), group.tasks)
