"""E7: contexts of two tokens for the memory lab's models, so that controls are of another kind."""

import torch
from jaxtyping import Int
from torch import Tensor


def draw(tokens: int, count: int, generator: torch.Generator) -> Int[Tensor, "context 2"]:
    """Draw distinct contexts (a, b) at random, ordered so that neighbours differ in a.

    The instrument's control is the context before (the last one, for the first). Sorted by a and
    dealt in two halves, neighbours are half of the contexts apart. Raises ValueError if a token is
    first in so many that they cannot be kept apart.
    """
    drawn = torch.randperm(tokens**2, generator=generator)[:count]
    if len(drawn) % 2:
        drawn = drawn[:-1]
    first, second = drawn // tokens, drawn % tokens
    order = first.argsort(stable=True).view(2, -1).T.flatten()
    contexts = torch.stack([first[order], second[order]], dim=1)
    if bool((contexts[:, 0] == contexts[:, 0].roll(1)).any()):
        raise ValueError(
            f"{len(drawn)} contexts of {tokens} tokens leave neighbours with one first token"
        )
    return contexts
