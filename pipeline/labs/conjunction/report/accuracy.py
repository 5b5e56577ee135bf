"""C4: the MLP against self-attention on the same data sets: results, and their tables."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import pandas as pd

from pipeline.core.nn.layers import MemberModule
from pipeline.core.stats.intervals import Summary, summary
from pipeline.labs.conjunction.data.accuracy_data import TaskGroup
from pipeline.labs.conjunction.data.datasets import DataSets
from pipeline.labs.conjunction.measure.paired import paired_p_value
from pipeline.labs.conjunction.measure.scores import Scores, scores
from pipeline.labs.conjunction.report.published import published

ScoresByTask = Mapping[str, Mapping[str, Scores]]  # by task and model
MODELS = ("attention", "mlp")
# Fixed before the run of 96: what it takes to call one model the more accurate one.
MIN_PAIRS, LEVEL = 96, 0.01


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """A row of scores.csv: one seed's model on its validation set."""

    task: str
    model: str
    seed: int
    accuracy: float
    loss: float


@dataclass(frozen=True, kw_only=True)
class AccuracyRow:
    """A row of accuracy.csv: a model of a task over its seeds.

    Medians with their intervals and ranges; ``samples`` of the training set; ``p_accuracy`` of the
    paired test of both models; the tutorial's single run, where it was printed.
    """

    task: str
    model: str
    samples: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    n: int
    loss: float
    loss_low: float
    loss_high: float
    accuracy_min: float
    accuracy_max: float
    loss_min: float
    loss_max: float
    parameters: int
    p_accuracy: float
    tutorial_accuracy: float | None
    tutorial_loss: float | None


def summarise(values: Scores, parameters: int) -> Summary:
    """Summarise scores over seeds: medians with intervals, ranges, the number of parameters."""
    results = summary(values)
    for name, by_seed in values.items():
        results |= {f"{name}_min": float(by_seed.min()), f"{name}_max": float(by_seed.max())}
    return results | {"parameters": parameters}


def paired(attention: Scores, mlp: Scores) -> Summary:
    """Test both models on the same data sets: p-values, and how often each is better.

    ``p_NAME`` ranks pairs that tie, ``p_NAME_ties_dropped`` leaves them out.
    """
    tests: Summary = {}
    for name in attention:
        tests[f"p_{name}"] = paired_p_value(attention[name], mlp[name], ties="split")
        dropped = paired_p_value(attention[name], mlp[name], ties="dropped")
        tests[f"p_{name}_ties_dropped"] = dropped
    difference = attention["accuracy"] - mlp["accuracy"]
    better, worse = int((difference > 0).sum()), int((difference < 0).sum())
    gain = summary({"accuracy_difference": difference})
    results = tests | {"attention_better": better, "mlp_better": worse} | gain
    return results | {"decided": decided(results)}


def measure(
    data: Mapping[str, DataSets], models: Mapping[str, Mapping[str, MemberModule]]
) -> tuple[dict[str, Summary], ScoresByTask]:
    """Return the results ``TASK_MODEL`` and ``TASK_paired``, and the scores behind them.

    ``models`` maps *attention* and *mlp* to the members for each task.
    """
    results: dict[str, Summary] = {}
    by_task: dict[str, dict[str, Scores]] = {}
    for task, sets in data.items():
        by_model = {name: scores(models[name][task], sets) for name in MODELS}
        for name, values in by_model.items():
            parameters = models[name][task].parameters_per_member
            results[f"{task}_{name}"] = summarise(values, parameters)
        results[f"{task}_paired"] = paired(*by_model.values())
        by_task[task] = by_model
    return results, by_task


def decided(results: Summary) -> int:
    """Return 1 where attention is more accurate, -1 where the MLP is, 0 where it stays open.

    It takes MIN_PAIRS pairs, an interval of the paired difference that leaves out 0, and a p-value
    below LEVEL: of batches of 24 one gave p = 6e-5 and another 0.31.
    """
    if results["n"] < MIN_PAIRS or results["p_accuracy"] >= LEVEL:
        return 0
    low, high = results["accuracy_difference_low"], results["accuracy_difference_high"]
    return int(low > 0) - int(high < 0)


def score_table(tasks: Mapping[str, TaskGroup], by_task: ScoresByTask) -> pd.DataFrame:
    """Lay every seed's scores out, a :class:`ScoreRow` a row."""
    tables = [
        pd.DataFrame({"task": task, "model": name, "seed": list(tasks[task].seeds)} | values)
        for task, by_model in by_task.items()
        for name, values in by_model.items()
    ]
    return pd.concat(tables, ignore_index=True)


def accuracy_table(tasks: Mapping[str, TaskGroup], results: Mapping[str, Summary]) -> pd.DataFrame:
    """Lay the results out beside what the tutorial prints, an :class:`AccuracyRow` a row."""
    rows = []
    for task, group in tasks.items():
        for name in MODELS:
            accuracy, loss = published(group.about, name) or (None, None)
            rows.append(
                {"task": task, "model": name, "samples": group.samples}
                | results[f"{task}_{name}"]
                | {"p_accuracy": results[f"{task}_paired"]["p_accuracy"]}
                | {"tutorial_accuracy": accuracy, "tutorial_loss": loss}
            )
    return pd.DataFrame(rows, columns=[field.name for field in fields(AccuracyRow)])
