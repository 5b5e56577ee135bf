"""C5: the tutorial's attention with one part changed at a time: which one makes it need samples?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from pipeline.config import Section, StageParams
from pipeline.labs.conjunction.search import AttentionCurve, SearchConfig
from pipeline.runtime import artifacts
from pipeline.stages.conjunction._search import search_curves


class AblationConfig(Section):
    """The variants by name."""

    variants: Annotated[Mapping[str, AttentionCurve], Field(min_length=1)]


class Params(StageParams):
    """What is searched, and for whom."""

    search: SearchConfig = Field(alias="conjunction.search")
    ablation: AblationConfig = Field(alias="conjunction.ablation")

    @model_validator(mode="after")
    def _targets_fit(self) -> "Params":
        contexts = {name: curve.contexts for name, curve in self.ablation.variants.items()}
        self.search.require(contexts, "conjunction.ablation.variants")
        return self


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it draws its own data
    """Write a row for each variant, T, sample size and seed."""
    learners = {name: (curve, curve.fit) for name, curve in params.ablation.variants.items()}
    points = search_curves(params.search, learners, "C5 ablation")
    artifacts.write_csv(out / "points.csv", points)
