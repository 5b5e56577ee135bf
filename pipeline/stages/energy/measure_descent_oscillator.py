"""E7 on the oscillator lab's trained models: do they lower their heads' energies?"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.labs.energy.models.heads import layers_of
from pipeline.labs.energy.report import descent as report
from pipeline.runtime.formats import artifacts, records, saved_models

LAST = slice(-1, None)  # the position that forecasts
HEADLINE = ("E7.all_layers.excess_above_0",)


class Params(StageParams):
    """The size of the measurement."""

    descent: report.DescentConfig = Field(alias="energy.descent")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the fractions of lowered energies; return ``E7.oscillator_MODEL_layerK``."""
    models = at_work(inputs, params.descent.sequences)
    layers = report.measure_models(models, params.descent.seed)
    records.write_table(out / "descent.csv", report.table(layers), report.FractionRow)
    return {"E7": report.results(layers)}


def at_work(inputs: Path, count: int) -> Iterator[report.ModelAtWork]:
    """Yield the models of varying frequency on ``count`` windows of the validation set."""
    path = inputs / "oscillator_train_variable" / "models.safetensors"
    models = saved_models.read_models(path, Transformer)
    path = inputs / "oscillator_data" / "variable_valid.npz"
    states = artifacts.read_tensors(path, states="float64 trajectory time 2")["states"]
    for name, model in models.items():
        windows = states[:count, :-1].expand(model.members, -1, -1, -1)
        layers = layers_of(model.double(), windows)
        yield report.ModelAtWork(f"oscillator_{name}", description(model.config), layers, LAST)


def description(config: TransformerConfig) -> str:
    """Describe a transformer in words."""
    layers = "1 layer" if config.n_layers == 1 else f"{config.n_layers} layers"
    mask = "causal mask" if config.causal else "no mask"
    return f"{layers} of ({config.d_model}, {config.d_head}), {mask}"
