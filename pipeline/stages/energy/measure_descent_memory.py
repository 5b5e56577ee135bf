"""E7 on the memory lab's trained models: do they lower their heads' energies?"""

from collections.abc import Iterator
from pathlib import Path

import torch
from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.energy.models.heads import AttentionLayer
from pipeline.labs.energy.report import descent as report
from pipeline.labs.memory.measure.activations import LayerActivations, activations
from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.runtime.formats import records, saved_models

LAST = slice(-1, None)  # the position that predicts
HEADLINE = ("E7.all_layers.excess_above_0",)


class Params(StageParams):
    """The size of the measurement."""

    descent: report.DescentConfig = Field(alias="energy.descent")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the fractions of lowered energies; return ``E7.memory_MODEL_layerK``."""
    models = at_work(inputs, params.descent.sequences)
    layers = report.measure_models(models, params.descent.seed)
    records.write_table(out / "descent.csv", report.table(layers), report.FractionRow)
    return {"E7": report.results(layers)}


def at_work(inputs: Path, count: int) -> Iterator[report.ModelAtWork]:
    """Yield the models of the published sizes on the first ``count`` contexts (a, b), in order."""
    path = inputs / "memory_train_published" / "models.safetensors"
    for name, model in saved_models.read_models(path, AttentionMemory).items():
        context = torch.arange(min(count, model.config.N**2))
        tokens = torch.stack([context // model.config.N, context % model.config.N], dim=1)
        of_all = tokens.expand(model.members, -1, -1)
        with torch.no_grad():
            layers = [attention_layer(layer) for layer in activations(model.double(), of_all)]
        description = f"d = {model.config.d}, H = {model.config.n_heads}"
        yield report.ModelAtWork(f"memory_{name}", description, layers, LAST)


def attention_layer(layer: LayerActivations) -> AttentionLayer:
    """Tell a layer of the memory lab in the terms of E7's instrument."""
    return AttentionLayer(
        stream=layer.stream, key=layer.k, update=layer.update, query_of=layer.q, kind="softmax",
        causal=True,
    )  # fmt: skip
