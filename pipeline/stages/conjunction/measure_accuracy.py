"""C4: accuracy and loss of the MLP and of self-attention on the same data sets."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.labs.conjunction.data.datasets import DataConfig, file_of, unpack
from pipeline.labs.conjunction.models.attention import BinaryAttention
from pipeline.labs.conjunction.models.mlp import BinaryMLP
from pipeline.labs.conjunction.report import accuracy
from pipeline.labs.conjunction.report.accuracy import AccuracyRow, ScoreRow
from pipeline.runtime.formats import records, saved_models

HEADLINE = ("C4.*_attention.accuracy", "C4.*_mlp.accuracy")


class Params(StageParams):
    """The tasks and seeds."""

    data: DataConfig = Field(alias="conjunction.query_data")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:
    """Write every seed's scores and the table; return ``C4.TASK_MODEL.*``, ``C4.TASK_paired.*``."""
    tasks = params.data.tasks
    path = inputs / "conjunction_data" / "query.npz"
    data = unpack(records.read_arrays(path, file_of(tasks)), tasks)
    models = {}
    for name in accuracy.MODELS:
        path = inputs / f"conjunction_train_{name}" / "models.safetensors"
        trained = saved_models.read_models(path, BinaryAttention, BinaryMLP)
        models[name] = {task: trained[f"{task}_{name}"] for task in tasks}
    results, scores = accuracy.measure(data, models)
    records.write_table(out / "scores.csv", accuracy.score_table(params.data, scores), ScoreRow)
    table = accuracy.accuracy_table(params.data, results)
    records.write_table(out / "accuracy.csv", table, AccuracyRow)
    return {"C4": results}
