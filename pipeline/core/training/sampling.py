"""Random streams of members: generators from seeds, and minibatches drawn with them."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor


def generators(seeds: Sequence[int], purpose: int = 0) -> list[torch.Generator]:
    """Make one generator a member; another ``purpose`` gives an unrelated stream of the seed."""
    # torch's generator keeps 32 bits of its seed, so (seed, purpose) is hashed into them.
    words = [int(np.random.SeedSequence((s, purpose)).generate_state(1)[0]) for s in seeds]
    return [torch.Generator().manual_seed(word) for word in words]


def minibatches(
    count: int, batch_size: int, streams: Sequence[torch.Generator], block: int = 256
) -> Iterator[Int[Tensor, "member batch"]]:
    """Draw indices below ``count`` for ever, uniformly, with replacement, each member its own."""
    while True:
        drawn = [torch.randint(count, (block, batch_size), generator=g) for g in streams]
        yield from torch.stack(drawn, dim=1)


def grouped(seeds: Sequence[int], size: int) -> list[Sequence[int]]:
    """Cut the seeds into groups that are stacked in one computation."""
    return [seeds[k : k + size] for k in range(0, len(seeds), size)]
