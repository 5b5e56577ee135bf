"""C5: search the samples that each learner needs, against the number of positions."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from pipeline import artifacts
from pipeline.config import Section, StageParams
from pipeline.labs.conjunction.search import (
    AttentionCurve,
    CurveConfig,
    LinearCurve,
    PerceptronCurve,
    SearchConfig,
)
from pipeline.labs.conjunction.training import FitConfig
from pipeline.stages._conjunction_search import search_curves


class ComplexityConfig(Section):
    """The learners: elimination, logistic regression, the MLP, and attention models by name."""

    elimination: CurveConfig
    linear: LinearCurve
    mlp: PerceptronCurve
    attention: Mapping[str, AttentionCurve]


class Params(StageParams):
    """What is searched, and for whom."""

    search: SearchConfig = Field(alias="conjunction.search")
    curves: ComplexityConfig = Field(alias="conjunction.complexity")


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it draws its own data
    """Write a row for each learner, T, sample size and seed."""
    curves = params.curves
    learners: dict[str, tuple[CurveConfig, FitConfig | None]] = {
        "elimination": (curves.elimination, None),
        "linear": (curves.linear, curves.linear.fit),
        "mlp": (curves.mlp, curves.mlp.fit),
        **{name: (curve, curve.fit) for name, curve in curves.attention.items()},
    }
    points = search_curves(params.search, learners, "C5")
    artifacts.write_csv(out / "points.csv", points)
