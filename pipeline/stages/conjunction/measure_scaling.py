"""C5, C4: samples needed with intervals, and how they grow with T, for every learner."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.measure.sample_complexity import (
    MEDIAN,
    NINE_IN_TEN,
    BootstrapConfig,
    SampleComplexity,
    sample_complexities,
)
from pipeline.labs.conjunction.report import scaling
from pipeline.labs.conjunction.train.curves import SearchConfig
from pipeline.labs.conjunction.train.mlp_searches import PerfectConfig
from pipeline.labs.conjunction.train.sample_search import SamplePoint
from pipeline.runtime.formats import records

# Each source of points, and what goes before its learners' names.
SOURCES = {
    "conjunction_search_learners": "",
    "conjunction_search_variants": scaling.ABLATED,
    "conjunction_search_mlp": "",
}
HEADLINE = (
    "C5.elimination.exponent",
    "C5.linear.exponent",
    "C5.mlp.exponent",
    "C5.cls_head.exponent",
    "C5.cls_head.logarithm_lead",
    "C5.ablated_tutorial.exponent",
)


class Params(StageParams):
    """The thresholds, and the bootstrap."""

    search: SearchConfig = Field(alias="conjunction.search")
    perfect: PerfectConfig = Field(alias="conjunction.perfect")
    bootstrap: BootstrapConfig = Field(alias="conjunction.bootstrap")

    def threshold(self, learner: str) -> float:
        """Return the accuracy at which a learner's seed is solved."""
        if not learner.startswith(scaling.PERFECT):
            return self.search.threshold
        return self.perfect.tasks[learner.removeprefix(scaling.PERFECT)].threshold


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:
    """Write the samples needed and the fits; return ``C5.LEARNER.*`` and C4's ``added_*``."""
    curves = {
        f"{prefix}{name}": curve
        for stage, prefix in SOURCES.items()
        for name, curve in records.read_table(inputs / stage / "points.csv", SamplePoint).groupby(
            "learner", sort=False
        )
    }
    needed = {name: estimated(params, name, curve, MEDIAN) for name, curve in curves.items()}
    most = {name: estimated(params, name, curve, NINE_IN_TEN) for name, curve in curves.items()}
    seeds = {name: int(curve.seed.nunique()) for name, curve in curves.items()}
    results: dict[str, dict[str, Summary]] = {"C4": {}, "C5": {}}
    for name, curve in curves.items():
        experiment = results[scaling.experiment(name)]
        experiment[name] = scaling.summarise(needed[name], most[name]) | {"n": seeds[name]}
        covariances = scaling.by_covariance(curve, params.threshold(name))
        experiment[f"{name}_by_covariance"] = covariances
    for name, ratios in scaling.against_the_head(needed).items():
        results[scaling.experiment(name)][name] = ratios
    complexity, fits = scaling.complexity_table(needed, most), scaling.fit_table(needed, seeds)
    records.write_table(out / "sample_complexity.csv", complexity, scaling.SampleComplexityRow)
    records.write_table(out / "scaling_fits.csv", fits, scaling.ScalingFitRow)
    records.write_table(out / "slopes.csv", scaling.slope_table(needed), scaling.SlopeRow)
    return results


def estimated(
    params: Params, name: str, curve: pd.DataFrame, part: float
) -> list[SampleComplexity]:
    """Return what a part of a learner's seeds needs at every T."""
    stream = generators([params.bootstrap.seed])[0]
    resamples = params.bootstrap.resamples
    return sample_complexities(curve, params.threshold(name), resamples, stream, part)
