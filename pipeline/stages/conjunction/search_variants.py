"""C5: the tutorial's attention with one part changed at a time: which one makes it need samples?"""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import StageParams
from pipeline.labs.conjunction.train import sample_search
from pipeline.labs.conjunction.train.curves import AblationConfig, SearchConfig
from pipeline.labs.conjunction.train.sample_search import SamplePoint
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import records


class Params(StageParams):
    """What is searched, and for whom."""

    search: SearchConfig = Field(alias="conjunction.search")
    ablation: AblationConfig = Field(alias="conjunction.ablation")

    @model_validator(mode="after")
    def _targets_fit(self) -> "Params":
        self.search.require(self.ablation.variants, "conjunction.ablation.variants")
        return self


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it draws its own data
    """Write a row for each variant, T, sample size and seed."""
    variants = params.ablation.variants
    cells = sample_search.cells(params.search, variants)
    results = parallel.map_cells(sample_search.explore, cells, description="C5 ablation")
    points = sample_search.points(variants, cells, results)
    records.write_table(out / "points.csv", points, SamplePoint)
