"""E7 on the other labs' trained models: do they lower their heads' energies?"""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from pydantic import Field

from pipeline import artifacts
from pipeline.config import StageParams
from pipeline.core.statistics import Summary
from pipeline.figures import energy_descent as figure
from pipeline.figures import style as styles
from pipeline.labs.energy import descent_results as results
from pipeline.stages import _energy_memory as memory
from pipeline.stages import _energy_oscillator as oscillator

SOURCES = (oscillator.at_work, memory.at_work)  # one a lab


class Params(StageParams):
    """The size of the measurement, and the figure's."""

    descent: results.DescentConfig = Field(alias="energy.descent")
    style: styles.StyleConfig = Field(alias="figures.style")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write the fractions of lowered energies and their figure; return ``E7.LAB_MODEL_layerK``."""
    config = params.descent
    metrics: dict[str, Summary] = {}
    for source in SOURCES:
        for name, layers, positions in source(inputs, config.sequences):
            metrics |= results.measure_model(name, layers, positions, config.seed)
    table = results.table(metrics)
    artifacts.write_csv(out / "descent.csv", table)
    artifacts.write_figure(out / "e7_descent_labs", draw(params, table))
    return {"E7": metrics}


def draw(params: Params, table: pd.DataFrame) -> Figure:
    """Draw the fractions of every layer."""
    with styles.applied(params.style):
        title = "E7 Does a trained layer lower its heads' energies? The other labs' models"
        return figure.descent(params.style, table, title)
