"""E7 on the memory lab's trained models: do they lower their heads' energies?"""

from collections.abc import Iterator
from pathlib import Path

import torch
from jaxtyping import Int
from pydantic import Field
from torch import Tensor

from pipeline.config import StageParams
from pipeline.labs.energy.data import contexts
from pipeline.labs.energy.models.heads import AttentionLayer
from pipeline.labs.energy.report import descent as report
from pipeline.labs.memory.measure.activations import LayerActivations, activations
from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.runtime.formats import records, saved_models

LAST = slice(-1, None)  # the position that predicts
HEADLINE = ("E7.all_layers.downhill_excess_above_0",)


class Params(StageParams):
    """The size of the measurement."""

    descent: report.DescentConfig = Field(alias="energy.descent")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the fractions of lowered energies; return ``E7.memory_MODEL_layerK``."""
    models = at_work(inputs, params.descent)
    layers = report.measure_models(models, params.descent.seed)
    records.write_table(out / "descent.csv", report.table(layers), report.FractionRow)
    return {"E7": report.results(layers)}


def at_work(inputs: Path, config: report.DescentConfig) -> Iterator[report.ModelAtWork]:
    """Yield the models of the published sizes on random contexts.

    A further control changes the first token alone: the query stays.
    """
    path = inputs / "memory_train_published" / "models.safetensors"
    for name, model in saved_models.read_models(path, AttentionMemory).items():
        generator = torch.Generator().manual_seed(config.seed)
        tokens = contexts.draw(model.config.N, config.sequences, generator)
        changed = torch.stack([tokens[:, 0].roll(1), tokens[:, 1]], dim=1)
        layers, others = (layers_of(model, x) for x in (tokens, changed))
        more = [{"first_token_changed": layer.update} for layer in others]
        description = f"d = {model.config.d}, H = {model.config.n_heads}"
        yield report.ModelAtWork(f"memory_{name}", description, layers, LAST, more)


def layers_of(model: AttentionMemory, tokens: Int[Tensor, "context 2"]) -> list[AttentionLayer]:
    """Return a model's layers at work on contexts, the same for every member."""
    of_all = tokens.expand(model.members, -1, -1)
    with torch.no_grad():
        return [attention_layer(layer) for layer in activations(model.double(), of_all)]


def attention_layer(layer: LayerActivations) -> AttentionLayer:
    """Tell a layer of the memory lab in the terms of E7's instrument."""
    return AttentionLayer(
        stream=layer.stream, key=layer.k, update=layer.update, query_of=layer.q, kind="softmax",
        causal=True,
    )  # fmt: skip
