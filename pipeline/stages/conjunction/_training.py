"""The conjunction lab's trainings on data sets that were drawn before."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.core.nn.layers import MemberModule
from pipeline.core.training.ensemble import History
from pipeline.labs.conjunction.datasets import DataConfig, DataSets
from pipeline.labs.conjunction.training import FitCell, FitConfig, fit
from pipeline.runtime import parallel, training_record
from pipeline.stages.conjunction._data import read_data


def grouped(
    name: str, config: FitConfig, seeds: Sequence[int], data: DataSets, size: int
) -> list[FitCell]:
    """Cut a training into cells of ``size`` members."""
    return [
        FitCell(name=name, config=config, seeds=seeds[k : k + size], data=data.members(k, k + size))
        for k in range(0, len(seeds), size)
    ]


def compare_cells(
    kind: str, config: FitConfig, data: DataConfig, inputs: Path, members_per_cell: int
) -> list[FitCell]:
    """Return C4's trainings of one kind of model, named after their tasks."""
    return [
        cell
        for task, sets in read_data(inputs, "compare.npz", list(data.tasks)).items()
        for cell in grouped(f"{task}_{kind}", config, data.seeds, sets, members_per_cell)
    ]


def compute(cell: FitCell) -> tuple[MemberModule, History]:
    """Train one cell in a worker."""
    return fit(cell, parallel.report)


def train_cells(experiment: str, cells: Sequence[FitCell]) -> list[training_record.Trained]:
    """Train all cells and join those of one name along the members, in the cells' order."""
    steps = sum(cell.config.steps for cell in cells)
    results = parallel.map_cells(compute, cells, description=experiment, units=steps)
    done = []
    for name in dict.fromkeys(cell.name for cell in cells):
        own = [k for k, cell in enumerate(cells) if cell.name == name]
        model, history = training_record.joined([results[k] for k in own])
        done.append(
            training_record.Trained(
                experiment=experiment,
                name=name,
                seeds=[seed for k in own for seed in cells[k].seeds],
                model=model,
                history=history,
                params={**cells[own[0]].config.model_dump(mode="json")},
            )
        )
    return done
