"""M3: the notebook's scaling table, one model for every law of the grid."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory import notebook
from pipeline.runtime import artifacts
from pipeline.stages.memory._runs import read_power, train_cells


class Params(StageParams):
    """The models and their training."""

    table: notebook.TableConfig = Field(alias="memory.train_table")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv (the loss of each law's model) and a run for each row."""
    laws = read_power(inputs, "scaling")
    made = notebook.table_cells(params.table, laws)
    results = train_cells("M3", [cell for _, cell in made])
    table = pd.concat(
        notebook.table_rows(group, cell, result, laws)
        for (group, cell), result in zip(made, results, strict=True)
    )
    artifacts.write_csv(out / "table.csv", table)
    entries = [
        {
            "name": notebook.row_name(row),
            "params": {k: v for k, v in row.items() if k not in ("loss", "acc")},
            "metrics": {"loss": row["loss"], "acc": row["acc"]},
            "history": None,
            "model": None,
            "register": None,
        }
        for row in table.to_dict("records")
    ]
    artifacts.write_json(out / "models.json", entries)
