"""E7: do transformers trained on associative recall lower their heads' energies?"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.core.stats.intervals import summary
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.measure.phases import PhaseConfig
from pipeline.labs.energy.models.heads import layers_of
from pipeline.labs.energy.report import descent as report
from pipeline.labs.energy.report import trained as inside
from pipeline.labs.energy.train.recall import RecallTrainConfig, untrained
from pipeline.runtime.formats import records, saved_models

MEASURED = 3  # purpose of the seeds' stream here: not that of training or validation
INSIDE = ("untrained", "task")  # the models whose fixed points, ranks and order are looked at
HEADLINE = ("E7.all_layers.downhill_excess_above_0",)


class Params(StageParams):
    """The task, the seeds, the kinds of fixed points, and the size of the measurement."""

    task: recall.RecallConfig = Field(alias="energy.recall")
    train: RecallTrainConfig = Field(alias="energy.train_recall")
    phases: PhaseConfig = Field(alias="energy.phases")
    descent: report.DescentConfig = Field(alias="energy.descent")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the fractions of lowered energies; return ``E7.MODEL_layerK`` and what is inside."""
    models = read(params, inputs)
    streams = generators(params.train.seeds, purpose=MEASURED)
    drawn = recall.draw(params.task, params.descent.sequences, streams)
    drawn = recall.Sequences(drawn.tokens.double(), drawn.answers)
    positions = recall.query_positions(params.task)
    accuracy = {
        name: summary({"accuracy": recall.accuracy(params.task, model, drawn)})
        for name, model in models.items()
    }
    words = {name: loss.description for name, loss in params.train.losses.items()}
    words |= {name: name.replace("_", " ") for name in models.keys() - words.keys()}
    layers = {name: layers_of(model, drawn.tokens) for name, model in models.items()}
    at_work = [
        report.ModelAtWork(name, words[name], [layer.at(positions) for layer in whole], slice(None))
        for name, whole in layers.items()
    ]
    measured = report.measure_models(at_work, params.descent.seed)
    records.write_table(out / "descent.csv", report.table(measured), report.FractionRow)
    chosen = {name: models[name] for name in INSIDE}
    order = inside.hierarchy(chosen, drawn.tokens, positions, params.descent.seed)
    records.write_table(out / "nested.csv", inside.nested_table(order, words), inside.NestedRow)
    inner = {name: layers[name] for name in INSIDE}
    return {
        "E5": inside.kinds(inner, positions, params.phases),
        "E7": {**accuracy, **report.results(measured), **order},
        "E9": inside.ranks(inner, params.descent.seed),
    }


def read(params: Params, inputs: Path) -> Mapping[str, Transformer]:
    """Return the models, as training starts with them and as it leaves them, in float64."""
    path = inputs / "energy_train_recall" / "models.safetensors"
    trained = saved_models.read_models(path, Transformer)
    config = trained["task"].config
    start = untrained(config, params.train.seeds, params.train.training.torch_dtype)
    return {name: model.double() for name, model in {"untrained": start, **trained}.items()}
