"""C5: samples needed with intervals, and the fits of their growth with T, for every learner."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.measure.sample_complexity import (
    BootstrapConfig,
    SampleComplexity,
    sample_complexities,
)
from pipeline.labs.conjunction.report import scaling
from pipeline.labs.conjunction.train.curves import SearchConfig
from pipeline.labs.conjunction.train.sample_search import SamplePoint
from pipeline.runtime.formats import records

SOURCES = {"": "conjunction_search_learners", scaling.ABLATED: "conjunction_search_variants"}
HEADLINE = (
    "C5.elimination.exponent",
    "C5.linear.exponent",
    "C5.mlp.exponent",
    "C5.cls_head.exponent",
    "C5.ablated_tutorial.exponent",
)


class Params(StageParams):
    """The threshold, and the bootstrap."""

    search: SearchConfig = Field(alias="conjunction.search")
    bootstrap: BootstrapConfig = Field(alias="conjunction.bootstrap")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:
    """Write the samples needed and the fits; return ``C5.LEARNER.*`` and ``C5.ablated_NAME.*``."""
    threshold, bootstrap = params.search.threshold, params.bootstrap
    results: dict[str, Summary] = {}
    by_learner: dict[str, list[SampleComplexity]] = {}
    seeds: dict[str, int] = {}
    for prefix, stage in SOURCES.items():
        points = records.read_table(inputs / stage / "points.csv", SamplePoint)
        for name, curve in points.groupby("learner", sort=False):
            learner, stream = f"{prefix}{name}", generators([bootstrap.seed])[0]
            needed = sample_complexities(curve, threshold, bootstrap.resamples, stream)
            by_learner[learner], seeds[learner] = needed, int(curve.seed.nunique())
            results[learner] = scaling.summarise(needed) | {"n": seeds[learner]}
            results[f"{learner}_by_covariance"] = scaling.by_covariance(curve, threshold)
    complexity, fits = scaling.complexity_table(by_learner), scaling.fit_table(by_learner, seeds)
    records.write_table(out / "sample_complexity.csv", complexity, scaling.SampleComplexityRow)
    records.write_table(out / "scaling_fits.csv", fits, scaling.ScalingFitRow)
    return {"C5": results}
