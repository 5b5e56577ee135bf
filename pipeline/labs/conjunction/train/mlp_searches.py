"""C4: whose samples are searched beside C5's learners: the MLP in exercise 3, and what helps it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from pipeline.config import Section
from pipeline.labs.conjunction.train.curves import (
    CurveConfig,
    GatedMLPCurve,
    MLPCurve,
    SearchConfig,
    SparseMLPCurve,
)


class PerfectConfig(Section):
    """Exercise 3, part 4: a search of its own for each task, all with one curve."""

    tasks: Annotated[Mapping[str, SearchConfig], Field(min_length=1)]
    curve: MLPCurve

    @model_validator(mode="after")
    def _targets_fit(self) -> "PerfectConfig":
        for search in self.tasks.values():
            search.require({"curve": self.curve}, "conjunction.perfect")
        return self


class AdditionsConfig(Section):
    """What is added to C5's MLP: weight decay, a penalty on absolute weights, gains of inputs."""

    weight_decay: MLPCurve
    l1: SparseMLPCurve
    gains: GatedMLPCurve

    @property
    def curves(self) -> dict[str, CurveConfig]:
        """The curves by name."""
        return {"weight_decay": self.weight_decay, "l1": self.l1, "gains": self.gains}
