"""C4: the MLP against self-attention on the same data sets."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.labs.conjunction import compare
from pipeline.labs.conjunction.datasets import DataConfig
from pipeline.labs.conjunction.models import BinaryAttention
from pipeline.labs.conjunction.perceptron import Perceptron
from pipeline.labs.conjunction.published import published
from pipeline.runtime import artifacts, saved_models
from pipeline.stages.conjunction._data import read_data

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The tasks and seeds."""

    data: DataConfig = Field(alias="conjunction.compare")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:
    """Write every seed's scores and the table; return ``C4.TASK_MODEL.*``, ``C4.TASK_paired.*``."""
    tasks = params.data.tasks
    data = read_data(inputs, "compare.npz", list(tasks))
    models = {}
    for name in ("attention", "mlp"):
        path = inputs / f"conjunction_train_{name}" / "models.safetensors"
        found = saved_models.read_models(path, BinaryAttention, Perceptron)
        models[name] = {task: found[f"{task}_{name}"] for task in tasks}
    metrics, scores = compare.tables(data, models)
    seeds = [
        pd.DataFrame({"task": task, "model": name, "seed": list(params.data.seeds)} | own)
        for task, by_model in scores.items()
        for name, own in by_model.items()
    ]
    artifacts.write_csv(out / "scores.csv", pd.concat(seeds, ignore_index=True))
    rows = [
        {"task": task, "model": name, "samples": params.data.train}
        | metrics[f"{task}_{name}"]
        | {"p_accuracy": metrics[f"{task}_paired"]["p_accuracy"]}
        | dict(zip(("tutorial_accuracy", "tutorial_loss"), printed, strict=True))
        for task, config in tasks.items()
        for name in models
        for printed in [published(config, name) or (None, None)]
    ]
    artifacts.write_csv(out / "table.csv", pd.DataFrame(rows))
    return {"C4": metrics}
