"""E7, the essay's observation 3: do queries match the keys that they need?

In recall they need one pair of the sequence: the asked key's first appearance and the value after
it. Which layer and head looks there is the training's choice, so the best of them counts.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.transformer import Cache
from pipeline.labs.energy.data import recall


def matched_weight(
    task: recall.RecallConfig, cache: Cache, sequences: recall.Sequences
) -> Float[Tensor, "member layer head"]:
    """Return the mean attention that the asked queries of each head give to the pair they need."""
    at = recall.shown_at(task, sequences)[:, :, None]
    layers = []
    for name, pattern in cache.items():
        if name.endswith(".pattern"):
            asked = pattern[..., recall.query_positions(task), :]
            index = at.expand(-1, -1, asked.shape[2], -1)[..., None]
            pair = asked.gather(-1, index) + asked.gather(-1, index + 1)
            layers.append(pair[..., 0].mean((1, 3)))
    return torch.stack(layers, dim=1)


def best_match(
    task: recall.RecallConfig, cache: Cache, sequences: recall.Sequences
) -> Float[Tensor, " member"]:
    """Return the matched weight of the head that has most of it."""
    return matched_weight(task, cache, sequences).flatten(1).amax(1)
