"""What the memory lab's stages share: reading laws, training cells, writing sweeps."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.core.nn.layers import MemberModule
from pipeline.core.stats.intervals import summary
from pipeline.labs.memory import datasets, scaling
from pipeline.labs.memory.training import Cell, EngineConfig, Result, train_cell
from pipeline.runtime import artifacts, parallel, saved_models, training_record

HISTORY = ["model", "seed", "step", "loss", "accuracy"]


def read_power(inputs: Path, name: str) -> datasets.PowerLaws:
    """Read power_unif laws by their name."""
    path = inputs / "memory_laws" / f"{name}.npz"
    return datasets.power_laws(artifacts.read_tensors(path, **datasets.POWER))


def compute(cell: Cell) -> Result:
    """Train one cell in a worker."""
    return train_cell(cell, parallel.report)


def train_cells(description: str, cells: Sequence[Cell]) -> list[Result]:
    """Train all cells, the largest first, so that no worker waits long for the last one."""
    order = sorted(range(len(cells)), key=lambda k: -breadth(cells[k]))
    steps = sum(cell.engine.training().steps for cell in cells)
    found = parallel.map_cells(
        compute, [cells[k] for k in order], description=description, units=steps
    )
    return [found[order.index(k)] for k in range(len(cells))]


def breadth(cell: Cell) -> int:
    """Return the channels of a cell's heads and MLP, which its time goes with."""
    return cell.config.modules * cell.config.d_head + cell.config.mlp_width


def as_trained(experiment: str, cell: Cell, result: Result) -> training_record.Trained:
    """Describe a cell's members for the tracking store."""
    return training_record.Trained(
        experiment=experiment,
        name=cell.name,
        seeds=cell.seeds,
        model=result.model,
        history=result.history,
        params=described(cell),
        metrics=result.measures,
    )


def described(cell: Cell) -> dict[str, Any]:
    """Return what a cell was trained with, flat."""
    return {
        **cell.config.model_dump(mode="json"),
        **cell.engine.training().model_dump(mode="json"),
        "engine": cell.engine.engine,
        "objective": cell.objective,
    }


def run_sweep(
    law: str, grids: Mapping[str, scaling.GridConfig], engine: EngineConfig, inputs: Path, out: Path
) -> None:
    """Train a sweep's grids, by experiment, on one law: a cell a point, the seeds stacked."""
    laws = read_power(inputs, law)
    cells = {
        name: scaling.cells(grid.points, laws.laws(), laws.seeds, engine)
        for name, grid in grids.items()
    }
    every = [cell for group in cells.values() for cell in group]
    results = iter(train_cells(", ".join(grids), every))
    write_sweep(
        out, {name: (group, [next(results) for _ in group]) for name, group in cells.items()}
    )


def write_sweep(out: Path, sweep: Mapping[str, tuple[Sequence[Cell], Sequence[Result]]]) -> None:
    """Write the table of all models, their weights, loss curves, and a run a configuration."""
    tables, curves, entries = [], [], []
    models: dict[str, MemberModule] = {}
    for experiment, (cells, results) in sweep.items():
        tables.append(scaling.table(experiment, cells, results))
        for cell, result in zip(cells, results, strict=True):
            item = replace(as_trained(experiment, cell, result), name=f"{experiment}.{cell.name}")
            models[item.name] = result.model
            curves.append(training_record.history_table(item))
            entries.append(configuration_entry(item))
    artifacts.write_csv(out / "table.csv", pd.concat(tables, ignore_index=True))
    history = pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=HISTORY)
    artifacts.write_csv(out / "history.csv", history)
    saved_models.write_models(out / "models.safetensors", models)
    artifacts.write_json(out / "models.json", entries)


def write_runs(out: Path, named: Sequence[tuple[str, Cell, Result]]) -> None:
    """Write (experiment, cell, result): table.csv, the models, and a run a seed."""
    tables = [scaling.table(experiment, [cell], [result]) for experiment, cell, result in named]
    artifacts.write_csv(out / "table.csv", pd.concat(tables, ignore_index=True))
    training_record.write(out, [as_trained(*one) for one in named])


def configuration_entry(item: training_record.Trained) -> dict[str, Any]:
    """Describe all seeds of a configuration as one run; its loss curve is the first seed's."""
    where = {"model": item.name, "seed": item.seeds[0]}
    return {
        "name": item.name,
        "params": {
            **item.params,
            "seeds": list(item.seeds),
            "parameters": item.model.parameters_per_member,
        },
        "metrics": summary(item.metrics),
        "history": {"file": "history.csv", "where": where},
        "model": None,
        "register": None,
    }
