"""The vote of all sets of s positions that agree with every sample: what samples alone can tell.

The hidden targets are drawn uniformly, so given the samples all consistent sets are equally likely,
and the majority of their ANDs is the Bayes-optimal prediction: no learner errs less on average.
(Elimination, Valiant 1984, predicts the AND of all positions that might be targets: a bound from
above on the samples needed, not the limit.)
"""

from math import comb

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pipeline.labs.conjunction.data.task import DatasetError, TaskConfig
from pipeline.labs.conjunction.models.elimination import candidates

MOST_SETS = 2 * 10**7  # listed for one member: 0.5 GB
CHUNK = 2**16  # sets whose ANDs are taken at once


def consistent_sets(
    kept: Bool[Tensor, " free"],
    bits: Float[Tensor, "sample position"],
    labels: Float[Tensor, " sample"],
    size: int,
) -> Int[Tensor, "set target"]:
    """Return the sets of ``size`` kept positions whose AND is 0 on every negative sample.

    ``kept`` are the positions that are 1 in every positive sample. Raises DatasetError if there are
    too many sets to list.
    """
    possible = kept.nonzero()[:, 0]
    if comb(len(possible), size) > MOST_SETS:
        raise DatasetError(
            f"voting: {len(labels)} samples leave {comb(len(possible), size):.1e} sets of {size} "
            f"targets among {len(kept)} positions, more than {MOST_SETS:.0e}; start the search at "
            "more samples"
        )
    sets = torch.combinations(possible, size)
    negatives = bits[labels == 0] == 1
    chosen = [part[~conjunctions(part, negatives).any(0)] for part in sets.split(CHUNK)]
    return torch.cat(chosen)


def conjunctions(
    sets: Int[Tensor, "set target"], bits: Bool[Tensor, "sample position"]
) -> Bool[Tensor, "sample set"]:
    """Return the AND of each set's positions in each sample."""
    result = bits[:, sets[:, 0]]
    for column in sets.unbind(1)[1:]:
        result &= bits[:, column]
    return result


def predict(
    sets: Int[Tensor, "set target"], bits: Float[Tensor, "sample position"]
) -> Bool[Tensor, " sample"]:
    """Return what more than half of the sets say."""
    ones = bits == 1
    votes = torch.stack([conjunctions(part, ones).sum(1) for part in sets.split(CHUNK)]).sum(0)
    return 2 * votes > len(sets)


def accuracy(
    task: TaskConfig,
    train: Float[Tensor, "member sample position"],
    labels: Float[Tensor, "member sample"],
    valid: Float[Tensor, "member other position"],
    truth: Float[Tensor, "member other"],
) -> Float[Tensor, " member"]:
    """Return the accuracy on ``valid`` of what was learned from ``train``, for one rule."""
    possible = candidates(task, train, labels)[:, 0]
    found = []
    for k in range(len(train)):
        sets = consistent_sets(possible[k], train[k], labels[k], task.targets)
        found.append((predict(sets, valid[k]) == (truth[k] == 1)).double().mean())
    return torch.stack(found)
