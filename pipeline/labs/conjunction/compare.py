"""C4: models on the same data sets: accuracy, loss, parameters, and a paired test."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.layers import MemberModule
from pipeline.core.stats.intervals import Summary, summary
from pipeline.labs.conjunction.datasets import DataSets
from pipeline.labs.conjunction.models import encode
from pipeline.labs.conjunction.paired import paired_p_value
from pipeline.labs.conjunction.task import label
from pipeline.labs.conjunction.training import accuracies, losses

Scores = dict[str, Float[Tensor, " member"]]


def scores(model: MemberModule, data: DataSets) -> Scores:
    """Return each member's accuracy and loss on its validation set."""
    truth = label(data.valid, data.targets)
    with torch.no_grad():
        logits = model(encode(model, data.valid)).double()
    return {"accuracy": accuracies(logits, truth), "loss": losses(logits, truth)}


def summarise(found: Scores, parameters: int) -> Summary:
    """Summarise scores over seeds: medians with intervals, ranges, the number of parameters."""
    metrics = summary(found)
    for name, values in found.items():
        metrics |= {f"{name}_min": float(values.min()), f"{name}_max": float(values.max())}
    return metrics | {"parameters": parameters}


def paired(first: Scores, second: Scores) -> Summary:
    """Compare two models on the same data sets: p-values, and how often the first is better.

    ``p_NAME`` ranks pairs that tie, ``p_NAME_ties_dropped`` leaves them out.
    """
    tests: dict[str, float | int] = {}
    for name in first:
        tests[f"p_{name}"] = paired_p_value(first[name], second[name], ties="split")
        dropped = paired_p_value(first[name], second[name], ties="dropped")
        tests[f"p_{name}_ties_dropped"] = dropped
    difference = first["accuracy"] - second["accuracy"]
    better, worse = int((difference > 0).sum()), int((difference < 0).sum())
    gain = summary({"accuracy_difference": difference})
    return tests | {"first_better": better, "second_better": worse} | gain


def tables(
    tasks: Mapping[str, DataSets], models: Mapping[str, Mapping[str, MemberModule]]
) -> tuple[dict[str, Summary], dict[str, dict[str, Scores]]]:
    """Return the metrics ``TASK_MODEL`` and ``TASK_paired``, and the scores {task: {model: ...}}.

    ``models`` maps a model's name to its members for each task; the first two names are paired.
    """
    metrics: dict[str, Summary] = {}
    found: dict[str, dict[str, Scores]] = {}
    for task, data in tasks.items():
        found[task] = {name: scores(by_task[task], data) for name, by_task in models.items()}
        for name, by_task in models.items():
            parameters = by_task[task].parameters_per_member
            metrics[f"{task}_{name}"] = summarise(found[task][name], parameters)
        first, second = list(found[task].values())[:2]
        metrics[f"{task}_paired"] = paired(first, second)
    return metrics, found
