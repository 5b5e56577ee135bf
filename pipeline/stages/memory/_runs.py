"""What the memory lab's training stages share: reading, training a sweep, writing what it made."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.data.draw import PowerDistributions
from pipeline.labs.memory.train.cells import Cell, train_cell
from pipeline.labs.memory.train.long_cells import train_long_cell
from pipeline.labs.memory.train.runs import COLUMNS, HistoryRow, RunRow, table
from pipeline.runtime import training_record
from pipeline.runtime.formats import records, saved_models
from pipeline.runtime.formats.model_list import HistoryRows, ModelEntry
from pipeline.runtime.training_record import Trained

Done = list[tuple[Cell, Trained]]


def read_power(inputs: Path, name: str) -> PowerDistributions:
    """Read power_unif distributions by their name."""
    return records.read_arrays(inputs / "memory_data" / f"{name}.npz", PowerDistributions)


def train_sweep(sweep: Mapping[str, Sequence[Cell]]) -> Done:
    """Train the cells of all experiments together."""
    trained = training_record.train_cells(train_cell, sweep)
    cells = [cell for group in sweep.values() for cell in group]
    return list(zip(cells, trained, strict=True))


def train_long_sweep(sweep: Mapping[str, Sequence[Cell]]) -> Done:
    """Train the cells of all experiments together, those of many steps or of parts among them."""
    trained = training_record.train_cells(train_long_cell, sweep)
    cells = [cell for group in sweep.values() for cell in group]
    return list(zip(cells, trained, strict=True))


def write_sweep(out: Path, done: Done) -> None:
    """Write the table of all models, their weights and loss curves, and a run a configuration."""
    _write_table(out, done)
    items = [replace(item, name=f"{item.experiment}.{item.name}") for _, item in done]
    curves = [training_record.history_table(item) for item in items]
    empty = pd.DataFrame(columns=list(HistoryRow.__annotations__))
    history = pd.concat(curves, ignore_index=True) if curves else empty
    records.write_table(out / "history.csv", history, HistoryRow)
    models = {item.name: item.model for item in items}
    saved_models.write_models(out / "models.safetensors", models)
    training_record.write_entries(out, [configuration_entry(item) for item in items])


def write_runs(out: Path, done: Done) -> None:
    """Write the table of all models, the models, and a run a seed."""
    _write_table(out, done)
    training_record.write(out, [item for _, item in done])


def _write_table(out: Path, done: Done) -> None:
    tables = [table(item.experiment, cell, item.model, item.metrics) for cell, item in done]
    runs = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)
    records.write_table(out / "table.csv", runs, RunRow)


def configuration_entry(item: Trained) -> ModelEntry:
    """Describe all seeds of a configuration as one run; its loss curve is the first seed's."""
    return ModelEntry(
        name=item.name,
        params={
            **item.params,
            "seeds": list(item.seeds),
            "parameters": item.model.parameters_per_member,
        },
        metrics={**summary(item.metrics)},
        history=HistoryRows(file="history.csv", where={"model": item.name, "seed": item.seeds[0]}),
    )
