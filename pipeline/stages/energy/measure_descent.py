"""E7: do transformers trained on associative recall lower their heads' energies?"""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.core.stats.intervals import Summary, summary
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.models.heads import layers_of
from pipeline.labs.energy.report import descent as report
from pipeline.labs.energy.train.recall import RecallTrainConfig, untrained
from pipeline.runtime.formats import records, saved_models

MEASURED = 3  # purpose of the seeds' stream here: not that of training or validation
HEADLINE = ("E7.task.accuracy", "E7.all_layers.excess_above_0")


class Params(StageParams):
    """The task, the seeds, and the size of the measurement."""

    task: recall.RecallConfig = Field(alias="energy.recall")
    train: RecallTrainConfig = Field(alias="energy.train_recall")
    descent: report.DescentConfig = Field(alias="energy.descent")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the fractions of lowered energies; return ``E7.MODEL_layerK.*``."""
    path = inputs / "energy_train_recall" / "models.safetensors"
    trained = saved_models.read_models(path, Transformer)
    first, seeds = next(iter(trained.values())), params.train.seeds
    start = untrained(first.config, seeds, params.train.training.torch_dtype)
    streams = generators(seeds, purpose=MEASURED)
    drawn = recall.draw(params.task, params.descent.sequences, streams)
    drawn = recall.Sequences(drawn.tokens.double(), drawn.answers)
    accuracy: dict[str, Summary] = {}
    at_work = []
    for name, model in {"untrained": start, **trained}.items():
        model.double()
        accuracy[name] = summary({"accuracy": recall.accuracy(params.task, model, drawn)})
        loss = params.train.losses.get(name)
        layers, positions = layers_of(model, drawn.tokens), recall.query_positions(params.task)
        description = loss.description if loss else name
        at_work.append(report.ModelAtWork(name, description, layers, positions))
    measured = report.measure_models(at_work, params.descent.seed)
    records.write_table(out / "descent.csv", report.table(measured), report.FractionRow)
    return {"E7": {**accuracy, **report.results(measured)}}
