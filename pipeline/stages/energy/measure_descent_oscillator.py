"""E7 on the oscillator lab's trained models: do they lower their heads' energies?"""

from pathlib import Path

from pydantic import Field
from torch import Tensor

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.labs.energy.models.heads import layers_of
from pipeline.labs.energy.report import descent as report
from pipeline.labs.energy.report import trained as inside
from pipeline.runtime.formats import artifacts, records, saved_models

LAST = slice(-1, None)  # the position that forecasts
NESTED = 64  # windows for the order of layers, which costs their square
HEADLINE = ("E7.all_layers.downhill_excess_above_0",)


class Params(StageParams):
    """The size of the measurement."""

    descent: report.DescentConfig = Field(alias="energy.descent")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the fractions of lowered energies; return ``E7.oscillator_MODEL_*``."""
    models, windows = read(inputs, params.descent.sequences)
    words = {name: description(model.config) for name, model in models.items()}
    layers_by_name = {name: layers_of(m, of_all(m, windows)) for name, m in models.items()}
    at_work = [
        report.ModelAtWork(name, words[name], [layer.at(LAST) for layer in whole], slice(None))
        for name, whole in layers_by_name.items()
    ]
    layers, seed = report.measure_models(at_work, params.descent.seed), params.descent.seed
    records.write_table(out / "descent.csv", report.table(layers), report.FractionRow)
    order = inside.hierarchy(models, windows[:NESTED], LAST, seed)
    records.write_table(out / "nested.csv", inside.nested_table(order, words), inside.NestedRow)
    results = {**report.results(layers), **order, "nested_models": inside.minimised(order)}
    return {"E7": results, "E9": inside.ranks(layers_by_name, seed)}


def read(inputs: Path, count: int) -> tuple[dict[str, Transformer], Tensor]:
    """Return the models of varying frequency, and ``count`` windows of the validation set."""
    path = inputs / "oscillator_train_variable" / "models.safetensors"
    models = saved_models.read_models(path, Transformer)
    path = inputs / "oscillator_data" / "variable_valid.npz"
    states = artifacts.read_tensors(path, states="float64 trajectory time 2")["states"]
    return {f"oscillator_{name}": m.double() for name, m in models.items()}, states[:count, :-1]


def of_all(model: Transformer, windows: Tensor) -> Tensor:
    """Return the windows for every member."""
    return windows.expand(model.members, -1, -1, -1)


def description(config: TransformerConfig) -> str:
    """Describe a transformer in words."""
    layers = "1 layer" if config.n_layers == 1 else f"{config.n_layers} layers"
    mask = "causal mask" if config.causal else "no mask"
    return f"{layers} of ({config.d_model}, {config.d_head}), {mask}"
