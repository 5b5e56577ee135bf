"""C3: how balanced the labels of the data sets are, and whether the tutorial's loop can do it."""

from jaxtyping import Float
from torch import Tensor

from pipeline.core.stats.intervals import Summary, summary
from pipeline.labs.conjunction.data.balance import unbalanced
from pipeline.labs.conjunction.data.datasets import DataSets
from pipeline.labs.conjunction.data.task import Bits, Targets, TaskConfig, label

TUTORIAL_TOLERANCE = {"sparse_and": 0.1, "sparse_and_query": 0.05}
TUTORIAL_DRAWS = 100


def positive_fractions(bits: Bits, targets: Targets) -> Float[Tensor, " member"]:
    """Return each member's fraction of label 1."""
    return label(bits, targets).mean(-1)


def tutorial_failure_probability(task: TaskConfig, samples: int) -> float:
    """Return the probability that the tutorial's own loop finds no balanced data set of this task.

    It draws 100 times, accepts fractions of label 1 within 0.1 (0.05 with a rule bit) of 1/2, and
    silently keeps the last draw.
    """
    return unbalanced(task, samples, TUTORIAL_TOLERANCE[task.function], TUTORIAL_DRAWS)


def balance(task: TaskConfig, data: DataSets) -> Summary:
    """Summarise the fractions of label 1 over seeds, beside the expected one."""
    fractions = summary(
        {
            "positive_fraction": positive_fractions(data.train, data.targets),
            "positive_fraction_valid": positive_fractions(data.valid, data.targets),
        }
    )
    return fractions | {
        "positive_fraction_expected": task.positive_fraction,
        "tutorial_failure_probability": tutorial_failure_probability(task, data.train.shape[1]),
    }
