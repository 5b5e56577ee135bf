"""The conjunction lab's searches for the samples needed, round by round."""

from collections.abc import Mapping, Sequence

import pandas as pd
import torch
from torch import Tensor

from pipeline import execution
from pipeline.labs.conjunction import search
from pipeline.labs.conjunction.training import FitConfig


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
