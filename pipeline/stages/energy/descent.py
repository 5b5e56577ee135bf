"""E7: do transformers trained on associative recall lower their heads' energies?"""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer
from pipeline.core.stats.intervals import Summary, summary
from pipeline.core.training.sampling import generators
from pipeline.labs.energy import descent_results as results
from pipeline.labs.energy import recall
from pipeline.labs.energy.heads import layers_of
from pipeline.labs.energy.recall_training import RecallTrainConfig, untrained
from pipeline.runtime import artifacts, saved_models

MEASURED = 3  # purpose of the seeds' stream here: not that of training or validation


HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The task, the seeds, and the size of the measurement."""

    task: recall.RecallConfig = Field(alias="energy.recall")
    train: RecallTrainConfig = Field(alias="energy.recall_train")
    descent: results.DescentConfig = Field(alias="energy.descent")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the fractions of lowered energies; return ``E7.MODEL_layerK.*``."""
    path = inputs / "energy_recall_train" / "models.safetensors"
    trained = saved_models.read_models(path, Transformer)
    first, seeds = next(iter(trained.values())), params.train.seeds
    start = untrained(first.config, seeds, params.train.training.torch_dtype)
    streams = generators(seeds, purpose=MEASURED)
    drawn = recall.draw(params.task, params.descent.sequences, streams)
    drawn = recall.Sequences(drawn.tokens.double(), drawn.answers)
    accuracy: dict[str, Summary] = {}
    metrics: dict[str, Summary] = {}
    for name, model in {"untrained": start, **trained}.items():
        model.double()
        accuracy[name] = summary({"accuracy": recall.accuracy(params.task, model, drawn)})
        metrics |= results.measure_model(
            name, layers_of(model, drawn.tokens), recall.asked(params.task), params.descent.seed
        )
    artifacts.write_csv(out / "descent.csv", results.table(metrics))
    return {"E7": {**accuracy, **metrics}}
