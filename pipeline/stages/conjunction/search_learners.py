"""C5: search the samples that each learner needs, against the number of positions."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import Section, StageParams
from pipeline.labs.conjunction.train import sample_search
from pipeline.labs.conjunction.train.curves import (
    AttentionCurve,
    CurveConfig,
    LinearCurve,
    MLPCurve,
    SearchConfig,
    VotingCurve,
)
from pipeline.labs.conjunction.train.sample_search import SamplePoint
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import records


class LearnersConfig(Section):
    """Elimination, the vote, logistic regression, the MLP, and attention models by name."""

    elimination: CurveConfig
    voting: VotingCurve
    linear: LinearCurve
    mlp: MLPCurve
    attention: Mapping[str, AttentionCurve]

    @property
    def curves(self) -> dict[str, CurveConfig]:
        """The curves by name."""
        reasoned = {"elimination": self.elimination, "voting": self.voting}
        return {**reasoned, "linear": self.linear, "mlp": self.mlp, **self.attention}


class Params(StageParams):
    """What is searched, and for whom."""

    search: SearchConfig = Field(alias="conjunction.search")
    learners: LearnersConfig = Field(alias="conjunction.learners")

    @model_validator(mode="after")
    def _targets_fit(self) -> "Params":
        self.search.require(self.learners.curves, "conjunction.learners")
        return self


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it draws its own data
    """Write a row for each learner, T, sample size and seed."""
    curves = params.learners.curves
    cells = sample_search.cells(params.search, curves)
    results = parallel.map_cells(sample_search.explore, cells, description="C5")
    points = sample_search.points(curves, cells, results)
    records.write_table(out / "points.csv", points, SamplePoint)
