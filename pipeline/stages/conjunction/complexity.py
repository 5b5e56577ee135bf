"""C5: search the samples that each learner needs, against the number of positions."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, model_validator

from pipeline.config import Section, StageParams
from pipeline.labs.conjunction.search import (
    AttentionCurve,
    CurveConfig,
    LinearCurve,
    PerceptronCurve,
    SearchConfig,
)
from pipeline.labs.conjunction.training import FitConfig
from pipeline.runtime import artifacts
from pipeline.stages.conjunction._search import search_curves


class ComplexityConfig(Section):
    """The learners: elimination, logistic regression, the MLP, and attention models by name."""

    elimination: CurveConfig
    linear: LinearCurve
    mlp: PerceptronCurve
    attention: Mapping[str, AttentionCurve]

    @property
    def learners(self) -> dict[str, tuple[CurveConfig, FitConfig | None]]:
        """The curves by name, each with its training; elimination has none."""
        return {
            "elimination": (self.elimination, None),
            "linear": (self.linear, self.linear.fit),
            "mlp": (self.mlp, self.mlp.fit),
            **{name: (curve, curve.fit) for name, curve in self.attention.items()},
        }


class Params(StageParams):
    """What is searched, and for whom."""

    search: SearchConfig = Field(alias="conjunction.search")
    curves: ComplexityConfig = Field(alias="conjunction.complexity")

    @model_validator(mode="after")
    def _targets_fit(self) -> "Params":
        contexts = {name: curve.contexts for name, (curve, _) in self.curves.learners.items()}
        self.search.require(contexts, "conjunction.complexity")
        return self


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it draws its own data
    """Write a row for each learner, T, sample size and seed."""
    points = search_curves(params.search, params.curves.learners, "C5")
    artifacts.write_csv(out / "points.csv", points)
