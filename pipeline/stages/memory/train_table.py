"""M3: the notebook's scaling table, one model for every distribution of the grid."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.train import divergence_table
from pipeline.runtime import training_record
from pipeline.runtime.formats import records
from pipeline.runtime.formats.model_list import ModelEntry
from pipeline.stages.memory._runs import read_power, train_sweep


class Params(StageParams):
    """The models and their training."""

    table: divergence_table.TableConfig = Field(alias="memory.train_table")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv (the divergence of each distribution's model) and a run for each row."""
    drawn = read_power(inputs, "scaling")
    made = params.table.cells(drawn)
    done = train_sweep({"M3": [cell for _, cell in made]})
    table = pd.concat(
        divergence_table.rows(group, cell, item.model, item.metrics, drawn)
        for (group, _), (cell, item) in zip(made, done, strict=True)
    )
    records.write_table(out / "table.csv", table, divergence_table.DivergenceRow)
    runs = [ModelEntry(**entry) for entry in divergence_table.entries(table)]
    training_record.write_entries(out, runs)
