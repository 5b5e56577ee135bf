"""What the conjunction lab's stages share: its data sets, training cells, searching curves."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from pipeline import artifacts, execution, trained
from pipeline.core.ensemble import History
from pipeline.core.layers import MemberModule
from pipeline.labs.conjunction import datasets, search
from pipeline.labs.conjunction.datasets import DataSets
from pipeline.labs.conjunction.training import FitCell, FitConfig, fit

POINTS = ["learner", "positions", "samples", "seed", "accuracy"]
NEEDS = ["learner", "positions", "samples", "low", "high"]
LAWS = [
    "learner",
    "exponent",
    "exponent_low",
    "exponent_high",
    "power_error",
    "per_doubling",
    "logarithm_error",
]


def write_data(path: Path, data: Mapping[str, DataSets]) -> None:
    """Write data sets by name."""
    arrays: dict[str, Tensor] = {}
    for name, sets in data.items():
        arrays |= datasets.to_arrays(name, sets)
    artifacts.write_npz(path, **arrays)


def read_data(inputs: Path, file: str, names: Sequence[str]) -> dict[str, DataSets]:
    """Read data sets by name."""
    path = inputs / "conjunction_data" / file
    arrays = artifacts.read_tensors(path, **datasets.schema(names))
    return {name: datasets.from_arrays(name, arrays) for name in names}


def grouped(
    name: str, config: FitConfig, seeds: Sequence[int], data: DataSets, size: int
) -> list[FitCell]:
    """Cut a training into cells of ``size`` members."""
    return [
        FitCell(name=name, config=config, seeds=seeds[k : k + size], data=data.members(k, k + size))
        for k in range(0, len(seeds), size)
    ]


def compute(cell: FitCell) -> tuple[MemberModule, History]:
    """Train one cell in a worker."""
    return fit(cell, execution.report)


def train_cells(experiment: str, cells: Sequence[FitCell]) -> list[trained.Trained]:
    """Train all cells and join those of one name along the members, in the cells' order."""
    steps = sum(cell.config.steps for cell in cells)
    results = execution.map_cells(compute, cells, description=experiment, units=steps)
    done = []
    for name in dict.fromkeys(cell.name for cell in cells):
        own = [k for k, cell in enumerate(cells) if cell.name == name]
        model, history = trained.joined([results[k] for k in own])
        done.append(
            trained.Trained(
                experiment=experiment,
                name=name,
                seeds=[seed for k in own for seed in cells[k].seeds],
                model=model,
                history=history,
                params={**cells[own[0]].config.model_dump(mode="json")},
            )
        )
    return done


def learn(cell: search.SearchCell) -> Tensor:
    """Compute one cell of a search in a worker."""
    return search.learn(cell, execution.report)


def search_curves(
    config: search.SearchConfig,
    learners: Mapping[str, tuple[search.CurveConfig, FitConfig | None]],
    description: str,
) -> pd.DataFrame:
    """Search all learners' curves side by side, round by round; return a row a seed and rung."""
    points: list[pd.DataFrame] = []
    solved: dict[tuple[str, int], dict[int, float]] = {
        (name, positions): {}
        for name, (curve, _) in learners.items()
        for positions in curve.contexts
    }
    while True:
        rungs = [
            search.Rung(name, positions, number)
            for (name, positions), tried in solved.items()
            for number in search.next_rungs(config, learners[name][0], positions, tried)
        ]
        if not rungs:
            break
        for rung, table in zip(
            rungs, _try_rungs(config, learners, rungs, description), strict=True
        ):
            reached = table["accuracy"] >= config.threshold
            solved[rung.learner, rung.positions][rung.number] = float(reached.mean())
            points.append(table)
    order = {name: k for k, name in enumerate(learners)}
    joined = pd.concat(points, ignore_index=True)
    return joined.sort_values(
        ["learner", "positions", "samples"],
        key=lambda column: column.map(order) if column.name == "learner" else column,
        kind="stable",
        ignore_index=True,
    )


def _try_rungs(
    config: search.SearchConfig,
    learners: Mapping[str, tuple[search.CurveConfig, FitConfig | None]],
    rungs: Sequence[search.Rung],
    description: str,
) -> list[pd.DataFrame]:
    owners, cells = [], []
    for k, rung in enumerate(rungs):
        curve, recipe = learners[rung.learner]
        for start in range(0, len(curve.seeds), curve.members_per_cell):
            owners.append(k)
            cells.append(search.cell(config, curve, recipe, rung, start))
    # The longest first, so that no core ends with it alone.
    order = sorted(range(len(cells)), key=lambda k: -cells[k].cost)
    steps = sum(cell.fit.steps for cell in cells if cell.fit)
    results = execution.map_cells(
        learn, [cells[k] for k in order], description=description, units=steps
    )
    by_cell = dict(zip(order, results, strict=True))
    tables = []
    for k, rung in enumerate(rungs):
        parts = [by_cell[j] for j, owner in enumerate(owners) if owner == k]
        curve, _ = learners[rung.learner]
        tables.append(
            pd.DataFrame(
                {
                    "learner": rung.learner,
                    "positions": rung.positions,
                    "samples": search.samples_at(rung.number, curve.rungs_per_doubling),
                    "seed": list(curve.seeds),
                    "accuracy": torch.cat(parts).numpy(),
                }
            )
        )
    return tables
