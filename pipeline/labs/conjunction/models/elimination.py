"""The elimination learner: the AND of all positions that might be targets, whatever the optimiser.

It keeps every position that is 1 in all positive samples of its rule and predicts the AND of those
kept (Valiant 1984, *A Theory of the Learnable*, section 5). The targets always survive; each other
position survives k positives with probability p^k, so the samples needed grow as log T / log(1/p).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.labs.conjunction.data.task import Bits, Labels, TaskConfig


def candidates(task: TaskConfig, bits: Bits, labels: Labels) -> Bool[Tensor, "member rule free"]:
    """Return the free positions that are 1 in every positive sample of each rule."""
    free = bits[..., : task.free_positions] == 1
    kept = [
        (free | ~_positive_of(task, bits, labels, rule)[..., None]).all(-2)
        for rule in range(task.rules)
    ]
    return torch.stack(kept, dim=-2)


def predict(
    task: TaskConfig, kept: Bool[Tensor, "member rule free"], bits: Bits
) -> Bool[Tensor, "member sample"]:
    """Return the AND over the kept positions of each sequence's rule."""
    free = bits[..., None, : task.free_positions] == 1
    by_rule = (free | ~kept[:, None]).all(-1)
    if task.rules == 1:
        return by_rule[..., 0]
    return torch.where(bits[..., -1] == 1, by_rule[..., 1], by_rule[..., 0])


def accuracy(
    task: TaskConfig,
    train: Float[Tensor, "member sample position"],
    labels: Float[Tensor, "member sample"],
    valid: Float[Tensor, "member other position"],
    truth: Float[Tensor, "member other"],
) -> Float[Tensor, " member"]:
    """Return the accuracy on ``valid`` of what was learned from ``train``."""
    predicted = predict(task, candidates(task, train, labels), valid)
    return (predicted == (truth == 1)).double().mean(-1)


def _positive_of(
    task: TaskConfig, bits: Bits, labels: Labels, rule: int
) -> Bool[Tensor, "member sample"]:
    positive = labels == 1
    return positive & (bits[..., -1] == rule) if task.rules == 2 else positive
