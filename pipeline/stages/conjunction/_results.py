"""Reading the conjunction lab's results for its figures."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.figures.conjunction.samples import Samples
from pipeline.labs.conjunction import datasets
from pipeline.labs.conjunction.datasets import DataConfig, DataSets
from pipeline.labs.conjunction.task import TaskConfig, label
from pipeline.runtime import artifacts
from pipeline.stages.conjunction._data import read_data
from pipeline.stages.conjunction._tables import LAWS, NEEDS

SHOWN = 12  # samples of each task in the figure
SCORES = ("task", "model", "seed", "accuracy", "loss")
TABLE = ("task", "model", "accuracy", "loss", "parameters", "p_accuracy", "tutorial_accuracy")
CURVES = ("model", "seed", "step", "loss", "validation_loss")
GAINS = {
    "x": "float64 position",
    "q": "float64 2 position",
    "z": "float64 gain",
    "weights": "float64 gain gain position",
    "output": "float64 gain gain",
    "spread": "float64 gain gain",
}
WEIGHTS = {
    "weights": "float64 sample position",
    "labels": "float64 sample",
    "rules": "float64 sample",
    "statistics": "float64 rule 2 position",
    "targets": "int64 rule target",
}
GRAPH = {
    "methods": "str method",
    "influence": "float64 method rule position",
    "targets": "int64 rule target",
    "hits": "bool method rule seed",
}


def read_gains(inputs: Path) -> dict[str, Any]:
    """Read C1's grid."""
    return artifacts.read_npz(inputs / "conjunction_gains" / "gains.npz", **GAINS)


def read_samples(inputs: Path, plain: DataConfig, query: DataConfig) -> dict[str, Samples]:
    """Read some samples of the plain tasks and of the first query task."""
    shown: dict[str, Samples] = {}
    for file, config, names in (
        ("samples.npz", plain, list(plain.tasks)),
        ("compare.npz", query, list(query.tasks)[:1]),
    ):
        data = read_data(inputs, file, list(config.tasks))
        shown |= {name: some(config.tasks[name], data[name]) for name in names}
    return shown


def some(task: TaskConfig, data: DataSets) -> Samples:
    """Take the first samples of the first seed."""
    labels = label(data.train, data.targets)
    return Samples(
        bits=data.train[0, :SHOWN].numpy(),
        labels=labels[0, :SHOWN].numpy(),
        targets=data.targets[0].numpy(),
        positive=float(datasets.positives(data.valid, data.targets).mean()),
        expected=task.positive_fraction,
    )


def read_scores(inputs: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read C4's scores of every seed, and its table."""
    folder = inputs / "conjunction_compare"
    return (
        artifacts.read_csv(folder / "scores.csv", SCORES),
        artifacts.read_csv(folder / "table.csv", TABLE),
    )


def read_scaling(inputs: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read C5's samples needed, and the laws of their growth."""
    folder = inputs / "conjunction_scaling"
    return (
        artifacts.read_csv(folder / "needs.csv", NEEDS),
        artifacts.read_csv(folder / "laws.csv", LAWS),
    )


def read_weights(inputs: Path) -> dict[str, Any]:
    """Read C6's weights."""
    arrays = artifacts.read_npz(inputs / "conjunction_graph" / "weights.npz", **WEIGHTS)
    arrays["found"] = arrays.pop("weights")
    return arrays


def read_graph(inputs: Path) -> dict[str, Any]:
    """Read C7's graphs; the hits become fractions over seeds and rules."""
    arrays = artifacts.read_npz(inputs / "conjunction_graph" / "graph.npz", **GRAPH)
    methods = [str(method) for method in arrays["methods"]]
    hits = np.asarray(arrays["hits"]).mean((1, 2))
    return {
        "methods": methods,
        "influence": arrays["influence"],
        "targets": arrays["targets"],
        "hits": dict(zip(methods, hits.tolist(), strict=True)),
    }


def read_histories(inputs: Path) -> dict[str, pd.DataFrame]:
    """Read the learning curves of C4 and C7."""
    stages = {"C4 MLP": "train_mlp", "C4 attention": "train_attention", "C7": "train_rule"}
    return {
        name: artifacts.read_csv(inputs / f"conjunction_{stage}" / "history.csv", CURVES)
        for name, stage in stages.items()
    }
