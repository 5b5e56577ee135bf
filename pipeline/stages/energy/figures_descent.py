"""Draw E7's fractions of lowered energies, for the models of three labs, and nested energies."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from pipeline.config import StageParams
from pipeline.figures.energy import descent as figure
from pipeline.figures.energy.nested import nested as draw_nested
from pipeline.figures.style import StyleConfig, applied
from pipeline.labs.energy.measure.trained.nested import SHARE
from pipeline.labs.energy.report.descent import FractionRow
from pipeline.labs.energy.report.results import Results
from pipeline.labs.energy.report.trained import NestedRow
from pipeline.runtime.formats import drawings
from pipeline.runtime.formats.records import read_json, read_table

MODELS = {
    "descent": "Associative recall (some of its models)",
    "descent_oscillator": "The oscillator lab's models",
    "descent_memory": "The memory lab's models",
}
SHOWN = ("untrained", "task", "heads_1", "heads_4", "cosine_1pc", "cosine_10pc")  # of recall
DEEP = ("descent", "descent_oscillator")  # whose models have several layers


class Params(StageParams):
    """Sizes of the figures."""

    style: StyleConfig = Field(alias="figures.style")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write a figure for each lab's models, as PNG and SVG."""
    with applied(params.style):
        for name, models in MODELS.items():
            folder = inputs / f"energy_measure_{name}"
            table = read_table(folder / "descent.csv", FractionRow)
            if name == "descent":
                table = table[table["model"].isin(SHOWN)]
            counts = read_json(folder / "results.json", Results).root["E7"]["all_layers"]
            drawn = figure.descent(params.style, table, counts, models)
            drawings.write_figure(out / f"e7_{name}", drawn)
        tables = [
            read_table(inputs / f"energy_measure_{x}" / "nested.csv", NestedRow) for x in DEEP
        ]
        drawn = draw_nested(params.style, pd.concat(tables), SHARE)
        drawings.write_figure(out / "e7_nested", drawn)
