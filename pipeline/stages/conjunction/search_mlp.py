"""C4: the samples that the MLP needs for 100 % in exercise 3, and what can be added to it."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import StageParams
from pipeline.labs.conjunction.report.scaling import ADDED, PERFECT
from pipeline.labs.conjunction.train import sample_search
from pipeline.labs.conjunction.train.curves import CurveConfig, SearchConfig
from pipeline.labs.conjunction.train.mlp_searches import AdditionsConfig, PerfectConfig
from pipeline.labs.conjunction.train.sample_search import SamplePoint
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import records


class Params(StageParams):
    """Exercise 3's tasks; C5's search, and what is added to its MLP."""

    perfect: PerfectConfig = Field(alias="conjunction.perfect")
    search: SearchConfig = Field(alias="conjunction.search")
    additions: AdditionsConfig = Field(alias="conjunction.additions")

    @model_validator(mode="after")
    def _targets_fit(self) -> "Params":
        self.search.require(self.additions.curves, "conjunction.additions")
        return self


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it draws its own data
    """Write a row for each task or addition, T, sample size and seed."""
    searches = {f"{PERFECT}{name}": each for name, each in params.perfect.tasks.items()}
    curves: dict[str, CurveConfig] = dict.fromkeys(searches, params.perfect.curve)
    added = {f"{ADDED}{name}": curve for name, curve in params.additions.curves.items()}
    curves |= added
    cells = sample_search.cells(params.search, added)
    for name, search in searches.items():
        cells += sample_search.cells(search, {name: params.perfect.curve})
    results = parallel.map_cells(sample_search.explore, cells, description="C4 samples")
    points = sample_search.points(curves, cells, results)
    records.write_table(out / "points.csv", points, SamplePoint)
