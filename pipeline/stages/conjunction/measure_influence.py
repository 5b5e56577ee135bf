"""C6 and C7: attention weights, and which inputs the label depends on under each rule."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary, proportion, summary
from pipeline.labs.conjunction.data.datasets import DataConfig, file_of, unpack
from pipeline.labs.conjunction.measure.scores import scores
from pipeline.labs.conjunction.models.attention import BinaryAttention
from pipeline.labs.conjunction.models.input_gains import InputGains
from pipeline.labs.conjunction.models.linear import Linear
from pipeline.labs.conjunction.models.mlp import BinaryMLP
from pipeline.labs.conjunction.report.influence import report
from pipeline.labs.conjunction.train.curves import SearchConfig
from pipeline.runtime.formats import records, saved_models

HEADLINE = ("C6.attention.weight_active", "C7.*.hit")


class Params(StageParams):
    """The task, and what counts as solved."""

    data: DataConfig = Field(alias="conjunction.rule_data")
    search: SearchConfig = Field(alias="conjunction.search")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:
    """Write one seed's weights and influences; return ``C5.rule_MODEL``, ``C6.*`` and ``C7.*``."""
    tasks = params.data.tasks
    path = inputs / "conjunction_data" / "rule.npz"
    [data, *_] = unpack(records.read_arrays(path, file_of(tasks)), tasks).values()
    path = inputs / "conjunction_train_rule" / "models.safetensors"
    models = saved_models.read_models(path, BinaryAttention, BinaryMLP, InputGains, Linear)
    accuracy = {name: scores(model, data)["accuracy"] for name, model in models.items()}
    solved = {name: values >= params.search.threshold for name, values in accuracy.items()}
    attention = models["attention"]
    assert isinstance(attention, BinaryAttention)
    measured = report(attention, data, params.data.seeds, solved["attention"])
    records.write_arrays(out / "weights.npz", measured.weights)
    records.write_arrays(out / "influence.npz", measured.graphs)
    return {
        "C5": {
            f"rule_{name}": proportion("success", solved[name])
            | summary({"accuracy": accuracy[name]})
            for name in models
        },
        "C6": {"attention": measured.weight_by_role},
        "C7": measured.by_method,
    }
