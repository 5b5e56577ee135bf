"""Draw E7's fractions of lowered energies, for the models of three labs."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.energy import descent as figure
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.energy.report.descent import FractionRow
from pipeline.labs.energy.report.results import Results
from pipeline.runtime.formats import drawings
from pipeline.runtime.formats.records import read_json, read_table

MODELS = {
    "descent": "Associative recall, models by their loss",
    "descent_oscillator": "The oscillator lab's models",
    "descent_memory": "The memory lab's models",
}


class Params(StageParams):
    """Sizes of the figures."""

    style: StyleConfig = Field(alias="figures.style")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write a figure for each lab's models, as PNG and SVG."""
    with applied(params.style):
        for name, models in MODELS.items():
            folder = inputs / f"energy_measure_{name}"
            table = read_table(folder / "descent.csv", FractionRow)
            counts = read_json(folder / "results.json", Results).root["E7"]["all_layers"]
            drawn = figure.descent(params.style, table, counts, models)
            drawings.write_figure(out / f"e7_{name}", drawn)
