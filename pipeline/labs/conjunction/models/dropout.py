"""Dropout that draws from the members' own generators."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

LEVELS = 65536  # of the 16-bit numbers that decide


def keep_mask(
    shape: Sequence[int], dropout: float, generators: Sequence[torch.Generator]
) -> Float[Tensor, "member batch width"]:
    """Draw a dropout mask [member, *shape]: 0 with probability ``dropout``, else 1 / (1 - dropout).

    The probability is rounded to 1 / 65,536: four decisions come from each 64-bit number, which is
    three times as fast as one number a decision.
    """
    count = shape[0] * shape[1]
    words = torch.empty(len(generators), -(-count // 4), dtype=torch.int64)
    for row, generator in zip(words, generators, strict=True):
        row.random_(-(2**63), None, generator=generator)
    numbers = words.view(torch.int16)[:, :count].view(len(generators), *shape)
    dropped = round(dropout * LEVELS)
    return (numbers >= dropped - LEVELS // 2) * (LEVELS / (LEVELS - dropped))
