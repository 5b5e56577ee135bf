"""What the memory lab's training stages share: reading, training cells, writing what they made."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.data.draw import PowerDistributions
from pipeline.labs.memory.train.cells import Cell, Result, train_cell
from pipeline.labs.memory.train.runs import HistoryRow, RunRow, table
from pipeline.runtime import artifacts, parallel, records, saved_models, training_record


def read_power(inputs: Path, name: str) -> PowerDistributions:
    """Read power_unif distributions by their name."""
    return records.read_arrays(inputs / "memory_data" / f"{name}.npz", PowerDistributions)


def compute(cell: Cell) -> Result:
    """Train one cell in a worker."""
    return train_cell(cell, parallel.report)


def train_cells(description: str, cells: Sequence[Cell]) -> list[Result]:
    """Train all cells, the largest first, so that no worker waits long for the last one."""
    order = sorted(range(len(cells)), key=lambda k: -cells[k].n_channels)
    steps = sum(cell.engine.steps for cell in cells)
    results = parallel.map_cells(
        compute, [cells[k] for k in order], description=description, units=steps
    )
    return [results[order.index(k)] for k in range(len(cells))]


def train_sweep(sweep: Mapping[str, Sequence[Cell]]) -> list[tuple[str, Cell, Result]]:
    """Train the cells of all experiments together; return them with their experiments."""
    named = [(experiment, cell) for experiment, cells in sweep.items() for cell in cells]
    cells = [cell for _, cell in named]
    results = train_cells(", ".join(sweep), cells) if cells else []
    return [(*each, result) for each, result in zip(named, results, strict=True)]


def write_sweep(out: Path, done: Sequence[tuple[str, Cell, Result]]) -> None:
    """Write the table of all models, their weights and loss curves, and a run a configuration."""
    _write_table(out, done)
    items = [as_trained(f"{each[0]}.{each[1].name}", *each) for each in done]
    curves = [training_record.history_table(item) for item in items]
    empty = pd.DataFrame(columns=list(HistoryRow.__annotations__))
    history = pd.concat(curves, ignore_index=True) if curves else empty
    records.write_table(out / "history.csv", history, HistoryRow)
    models = {item.name: item.model for item in items}
    saved_models.write_models(out / "models.safetensors", models)
    artifacts.write_json(out / "models.json", [configuration_entry(item) for item in items])


def write_runs(out: Path, done: Sequence[tuple[str, Cell, Result]]) -> None:
    """Write the table of all models, the models, and a run a seed."""
    _write_table(out, done)
    training_record.write(out, [as_trained(each[1].name, *each) for each in done])


def _write_table(out: Path, done: Sequence[tuple[str, Cell, Result]]) -> None:
    tables = [table(experiment, [cell], [result]) for experiment, cell, result in done]
    runs = pd.concat(tables, ignore_index=True) if tables else table("", [], [])
    records.write_table(out / "table.csv", runs, RunRow)


def as_trained(name: str, experiment: str, cell: Cell, result: Result) -> training_record.Trained:
    """Describe a cell's members for the tracking store."""
    return training_record.Trained(
        experiment=experiment,
        name=name,
        seeds=cell.seeds,
        model=result.model,
        history=result.history,
        params=cell.params(),
        metrics=result.measures,
    )


def configuration_entry(item: training_record.Trained) -> dict[str, Any]:
    """Describe all seeds of a configuration as one run; its loss curve is the first seed's."""
    return {
        "name": item.name,
        "params": {
            **item.params,
            "seeds": list(item.seeds),
            "parameters": item.model.parameters_per_member,
        },
        "metrics": summary(item.metrics),
        "history": {"file": "history.csv", "where": {"model": item.name, "seed": item.seeds[0]}},
        "model": None,
        "register": None,
    }
