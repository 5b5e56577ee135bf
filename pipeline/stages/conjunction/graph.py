"""C6 and C7: attention weights, and which inputs the label depends on under each rule."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary, proportion, summary
from pipeline.labs.conjunction import compare, graph_report
from pipeline.labs.conjunction.datasets import DataConfig
from pipeline.labs.conjunction.models import BinaryAttention, Linear
from pipeline.labs.conjunction.perceptron import Perceptron
from pipeline.labs.conjunction.search import SearchConfig
from pipeline.runtime import artifacts, saved_models
from pipeline.stages.conjunction._data import read_data

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The task, and what counts as solved."""

    data: DataConfig = Field(alias="conjunction.rule")
    search: SearchConfig = Field(alias="conjunction.search")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:
    """Write an example's weights and graphs; return ``C5.rule_MODEL``, ``C6.*`` and ``C7.*``."""
    [data, *_] = read_data(inputs, "rule.npz", list(params.data.tasks)).values()
    path = inputs / "conjunction_train_rule" / "models.safetensors"
    models = saved_models.read_models(path, BinaryAttention, Perceptron, Linear)
    accuracy = {name: compare.scores(model, data)["accuracy"] for name, model in models.items()}
    solved = {name: found >= params.search.threshold for name, found in accuracy.items()}
    attention = models["attention"]
    assert isinstance(attention, BinaryAttention)
    report = graph_report.report(attention, data, solved["attention"])
    artifacts.write_npz(out / "weights.npz", **report.weights)
    artifacts.write_npz(out / "graph.npz", **report.graph)
    return {
        "C5": {
            f"rule_{name}": proportion("success", solved[name])
            | summary({"accuracy": accuracy[name]})
            for name in models
        },
        "C6": {"attention": summary(report.focus)},
        "C7": report.metrics,
    }
