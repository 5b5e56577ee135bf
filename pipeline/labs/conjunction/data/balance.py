"""How likely a data set of a task is to be balanced."""

import numpy as np
from scipy.stats import binom

from pipeline.labs.conjunction.data.task import TaskConfig

ROUNDING = 1e-12


def unbalanced(task: TaskConfig, samples: int, tolerance: float | None, draws: int) -> float:
    """Return the probability that none of the draws has labels as near to 1/2 as ``tolerance``.

    Exact: the number of positives is Binomial(samples, p^s).
    """
    if tolerance is None:
        return 0.0
    counts = np.arange(samples + 1)
    balanced = np.abs(counts / samples - 0.5) <= tolerance + ROUNDING
    accepted = float(binom.pmf(counts[balanced], samples, task.positive_fraction).sum())
    return (1 - min(accepted, 1.0)) ** draws
