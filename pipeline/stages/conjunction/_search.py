"""The conjunction lab's searches for the samples needed, spread over the workers."""

from collections.abc import Mapping

import pandas as pd

from pipeline.labs.conjunction import search
from pipeline.labs.conjunction.search import CurveConfig, SearchCell, SearchConfig, Tried
from pipeline.labs.conjunction.training import FitConfig
from pipeline.runtime import parallel


def explore(cell: SearchCell) -> dict[int, Tried]:
    """Do one search in a worker."""
    return search.explore(cell)


def search_curves(
    config: SearchConfig,
    learners: Mapping[str, tuple[CurveConfig, FitConfig | None]],
    description: str,
) -> pd.DataFrame:
    """Search all learners' curves; return a row for each learner, T, sample size and seed."""
    cells = search.cells(config, learners)
    results = parallel.map_cells(explore, cells, description=description)
    by_curve = {
        (cell.learner, cell.positions): found for cell, found in zip(cells, results, strict=True)
    }
    rows = [
        pd.DataFrame(
            {
                "learner": name,
                "positions": positions,
                "samples": samples,
                "seed": list(curve.seeds),
                "accuracy": tried.accuracy.numpy(),
                "lean": tried.lean.numpy(),
            }
        )
        for name, (curve, _) in learners.items()
        for positions in curve.contexts
        for samples, tried in by_curve[name, positions].items()
    ]
    return pd.concat(rows, ignore_index=True)
