"""C3: the samples that its figure shows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from pipeline.labs.conjunction.data.datasets import DataConfig, DataSets
from pipeline.labs.conjunction.data.task import TaskConfig, label
from pipeline.labs.conjunction.measure.balance import positive_fractions
from pipeline.labs.conjunction.report.median_seed import median_member

SHOWN = 12  # samples of each task


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The first training sequences of one seed, their labels, and the targets of each rule.

    ``seed`` is the one whose validation set has the median fraction of label 1; ``positive`` is
    that fraction's mean over ``seeds`` seeds of ``valid`` samples.
    """

    task: TaskConfig
    seed: int
    bits: Float64[np.ndarray, "sample position"]
    labels: Float64[np.ndarray, " sample"]
    targets: Int64[np.ndarray, "rule target"]
    positive: float
    seeds: int
    valid: int


def shown_samples(
    config: DataConfig, data: Mapping[str, DataSets], tasks: int | None
) -> dict[str, Samples]:
    """Take some samples of each of the first ``tasks`` tasks (None: of all)."""
    shown = {}
    for name, sets in list(data.items())[:tasks]:
        fractions = positive_fractions(sets.valid, sets.targets)
        member = median_member(fractions)
        shown[name] = Samples(
            task=config.tasks[name],
            seed=config.seeds[member],
            bits=sets.train[member, :SHOWN].numpy(),
            labels=label(sets.train, sets.targets)[member, :SHOWN].numpy(),
            targets=sets.targets[member].numpy(),
            positive=float(fractions.mean()),
            seeds=len(config.seeds),
            valid=config.valid,
        )
    return shown
