"""E7 on the other labs' trained models: do they lower their heads' energies?"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from pydantic import Field

from pipeline import artifacts
from pipeline.config import StageParams
from pipeline.core.statistics import Summary
from pipeline.core.transformer import Transformer
from pipeline.figures import energy_descent, style
from pipeline.figures.style import StyleConfig
from pipeline.labs.energy import descent_results as results
from pipeline.labs.energy.heads import Layer, layers_of
from pipeline.stages._energy import DescentConfig

LAST = slice(-1, None)  # the position that forecasts


class Params(StageParams):
    """The size of the measurement, and the figure's."""

    descent: DescentConfig = Field(alias="energy.descent")
    style: StyleConfig = Field(alias="figures.style")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the fractions of lowered energies and their figure; return ``E7.LAB.MODEL_layerK``."""
    metrics: dict[str, Summary] = {}
    for name, layers, positions in oscillator(inputs, params.descent.sequences):
        metrics |= results.measure_model(name, layers, positions, params.descent.seed)
    table = results.table(metrics)
    artifacts.write_csv(out / "descent.csv", table)
    artifacts.write_figure(out / "e7_descent_labs", draw(params, table))
    return {"E7": metrics}


def draw(params: Params, table: pd.DataFrame) -> Figure:
    """Draw the fractions of every layer."""
    with style.applied(params.style):
        return energy_descent.descent(
            params.style, table, "E7 in the other labs' trained transformers"
        )


def oscillator(inputs: Path, count: int) -> Iterator[tuple[str, list[Layer], slice]]:
    """Yield the models of varying frequency at work on windows of the validation set."""
    models = artifacts.read_models(
        inputs / "oscillator_train_variable" / "models.safetensors", Transformer
    )
    path = inputs / "oscillator_data" / "variable_valid.npz"
    windows = artifacts.read_tensors(path, states="float64 trajectory time 2")["states"]
    seen = windows[:count, :-1]
    for name, model in models.items():
        inputs_of_all = seen.expand(model.members, -1, -1, -1)
        yield f"oscillator_{name}", layers_of(model.double(), inputs_of_all), LAST
