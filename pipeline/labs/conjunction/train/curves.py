"""C5: what a search for the samples needed is told: what counts as solved, and whose curves."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.bounds import Count, Members, Size, refuse_large
from pipeline.config import Section, Seeds
from pipeline.labs.conjunction.data.task import TaskConfig
from pipeline.labs.conjunction.train.additions import GatedMLPFit, SparseMLPFit
from pipeline.labs.conjunction.train.early_stopping import EarlyStopConfig, require_constant_rate
from pipeline.labs.conjunction.train.fit import AttentionFit, FitConfig, MLPFit


class SearchConfig(Section):
    """Of which task, what counts as solved, how far to search, and when a seed's training may end.

    A search ends when at most a fraction ``stop_below`` and at least ``stop_above`` of the seeds
    are solved at its ends, or at the curve's ``max_samples``.
    """

    function: Literal["sparse_and", "sparse_and_query"]
    targets: Size
    threshold: Annotated[float, Field(gt=0.5, le=1)]
    valid: Count
    stop_below: Annotated[float, Field(ge=0, lt=0.5)]
    stop_above: Annotated[float, Field(gt=0.5, le=1)]
    early_stop: EarlyStopConfig

    @model_validator(mode="after")
    def _who_leaves_is_solved(self) -> "SearchConfig":
        if self.early_stop.accuracy < self.threshold:
            raise ValueError(
                f"early_stop.accuracy must be >= threshold = {self.threshold:g}, "
                f"got {self.early_stop.accuracy:g}"
            )
        return self

    def task(self, positions: int) -> TaskConfig:
        """Return the balanced task for T ``positions``; any draw counts, as luck does."""
        return TaskConfig(
            function=self.function,
            positions=positions,
            targets=self.targets,
            p=None,
            tolerance=None,
            identifiable=False,
            max_draws=1,
        )

    def require(self, curves: Mapping[str, "CurveConfig"], section: str) -> None:
        """Check that the targets fit into every T of each named curve; ValueError if not."""
        for name, curve in curves.items():
            smallest = min(curve.first_samples)
            if self.function == "sparse_and_query" and 2 * self.targets > smallest - 1:
                raise ValueError(
                    f"two disjoint sets of {self.targets} targets do not fit into {smallest - 1} "
                    f"positions beside the rule bit, the smallest T in {section}.{name}"
                )
            if self.targets > smallest:
                raise ValueError(
                    f"conjunction.search.targets must be <= {smallest}, the smallest T in "
                    f"{section}.{name}.first_samples, got {self.targets}"
                )


class CurveConfig(Section):
    """One learner's curve.

    ``first_samples`` maps each T to the sample size where its search starts: a good one saves
    time. No search goes beyond ``max_samples``. Of each doubling of the sample size
    ``sizes_per_doubling`` are tried. ``stop_above`` takes the search's place where it is not None.
    """

    seeds: Seeds
    members_per_cell: Members
    sizes_per_doubling: Annotated[int, Field(ge=1, le=64)]
    first_samples: Annotated[Mapping[Size, Count], Field(min_length=1)]
    max_samples: Count
    stop_above: Annotated[float, Field(gt=0.5, le=1)] | None

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "CurveConfig":
        members, T = min(self.members_per_cell, len(self.seeds)), max(self.first_samples)
        refuse_large("members_per_cell * max_samples * T", members, self.max_samples, T)
        return self

    @model_validator(mode="after")
    def _can_be_left_early(self) -> "CurveConfig":
        if self.training is not None:
            require_constant_rate(self.training)
        return self

    @property
    def training(self) -> FitConfig | None:
        """How the learner is trained; None: it is not, it reasons (elimination, or voting)."""
        return None


class VotingCurve(CurveConfig):
    """The curve of the vote of all consistent sets of targets."""


class LinearCurve(CurveConfig):
    """The curve of logistic regression."""

    fit: FitConfig

    @property
    def training(self) -> FitConfig:
        """How the learner is trained."""
        return self.fit


class MLPCurve(CurveConfig):
    """The curve of the MLP."""

    fit: MLPFit

    @property
    def training(self) -> FitConfig:
        """How the learner is trained."""
        return self.fit


class SparseMLPCurve(CurveConfig):
    """The curve of the MLP with a penalty on its first layer's absolute weights."""

    fit: SparseMLPFit

    @property
    def training(self) -> FitConfig:
        """How the learner is trained."""
        return self.fit


class GatedMLPCurve(CurveConfig):
    """The curve of the MLP behind learned gains of its inputs."""

    fit: GatedMLPFit

    @property
    def training(self) -> FitConfig:
        """How the learner is trained."""
        return self.fit


class AttentionCurve(CurveConfig):
    """The curve of an attention model."""

    fit: AttentionFit

    @property
    def training(self) -> FitConfig:
        """How the learner is trained."""
        return self.fit


class AblationConfig(Section):
    """Variants of the tutorial's attention by name."""

    variants: Annotated[Mapping[str, AttentionCurve], Field(min_length=1)]
