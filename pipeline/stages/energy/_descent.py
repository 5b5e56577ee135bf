"""What E7's stages on the other labs' models share: measuring, the table, the figure."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.figures import style as styles
from pipeline.figures.energy import descent as figure
from pipeline.labs.energy import descent_results as results
from pipeline.labs.energy.heads import Layer
from pipeline.runtime import artifacts, drawings


class Params(StageParams):
    """The size of the measurement, and the figure's."""

    descent: results.DescentConfig = Field(alias="energy.descent")
    style: styles.StyleConfig = Field(alias="figures.style")


def measure(
    params: Params, models: Iterator[tuple[str, list[Layer], slice]], title: str, picture: Path
) -> dict[str, object]:
    """Write the fractions of lowered energies and their figure; return ``E7.LAB_MODEL_layerK``.

    ``models`` yields a name, the layers at work, and the positions that count.
    """
    metrics: dict[str, Summary] = {}
    for name, layers, positions in models:
        metrics |= results.measure_model(name, layers, positions, params.descent.seed)
    table = results.table(metrics)
    artifacts.write_csv(picture.parent / "descent.csv", table)
    drawings.write_figure(picture, draw(params, table, title))
    return {"E7": metrics}


def draw(params: Params, table: pd.DataFrame, title: str) -> Figure:
    """Draw the fractions of every layer."""
    with styles.applied(params.style):
        return figure.descent(params.style, table, title)
