"""C5: samples needed with intervals, and the law of their growth, for every learner."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction import scaling
from pipeline.labs.conjunction.scaling import ScalingConfig
from pipeline.labs.conjunction.search import SearchConfig
from pipeline.runtime import artifacts
from pipeline.stages.conjunction._tables import LAWS, NEEDS, POINTS

SOURCES = {"": "conjunction_complexity", "ablated_": "conjunction_ablate"}


HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The threshold, and the bootstrap."""

    search: SearchConfig = Field(alias="conjunction.search")
    scaling: ScalingConfig = Field(alias="conjunction.scaling")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:
    """Write the samples needed and the laws; return ``C5.LEARNER.*`` and ``C5.ablated_NAME.*``."""
    metrics: dict[str, Summary] = {}
    needs, laws = [], []
    for prefix, stage in SOURCES.items():
        points = artifacts.read_csv(inputs / stage / "points.csv", POINTS)
        for name, curve in points.groupby("learner", sort=False):
            learner = f"{prefix}{name}"
            stream = generators([params.scaling.seed])[0]
            found = scaling.curve(curve, params.search.threshold, params.scaling.resamples, stream)
            metrics[learner] = scaling.summarise(found) | {"n": int(curve.seed.nunique())}
            metrics[f"{learner}_lean"] = scaling.by_lean(curve, params.search.threshold)
            needs += [{"learner": learner} | row for row in scaling.needs_rows(found)]
            laws.append({"learner": learner} | scaling.laws(found))
    artifacts.write_csv(out / "needs.csv", pd.DataFrame(needs, columns=NEEDS))
    artifacts.write_csv(out / "laws.csv", pd.DataFrame(laws, columns=LAWS))
    return {"C5": metrics}
