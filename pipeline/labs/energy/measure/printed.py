"""E1, E2: two sentences of the essay, as it prints them, against the energies."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data.patterns import random_spins
from pipeline.labs.energy.models import classical, dense

PURPOSE = 8  # of the seeds' streams: no other measure's patterns


def sign_of_gradient(
    seeds: tuple[int, ...], d: int, load: float
) -> dict[str, Float[Tensor, " seed"]]:
    """Set each spin of a random state to a sign, one at a time; return how often E rises.

    ``gradient_rises`` for the sign of the gradient, as the essay's text says, ``minus_rises`` for
    that of minus the gradient, as its formula says; over the spins that change.
    """
    streams = generators(seeds, purpose=PURPOSE)
    W = classical.weights(random_spins(max(2, round(load * d)), d, streams), diagonal=False)
    state = random_spins(1, d, streams)
    field = state @ W  # minus the gradient
    before = classical.energy(state, W)
    flipped = state.expand(-1, d, -1) * (1 - 2 * torch.eye(d))
    rises = classical.energy(flipped, W) > before
    agree = (state * field)[:, 0] > 0
    moved = {"gradient_rises": agree, "minus_rises": (state * field)[:, 0] < 0}
    return {name: (rises & of).sum(1).double() / of.sum(1) for name, of in moved.items()}


def quadratic_energies(
    seeds: tuple[int, ...], d: int, count: int, states: int
) -> dict[str, Float[Tensor, " seed"]]:
    """Return how far E with F(x) = x^2 is from ``once`` and ``twice`` the classical energy.

    The largest difference over random states, up to a constant, over the classical energy's spread.
    """
    streams = generators(seeds, purpose=PURPOSE)
    patterns = random_spins(count, d, streams)
    at = random_spins(states, d, streams)
    quadratic = dense.energy(at.double(), patterns.double(), 2)
    original = classical.energy(at, classical.weights(patterns, diagonal=False)).double()
    spread = original.std(1, keepdim=True)
    found = {}
    for name, times in (("once", 1.0), ("twice", 2.0)):
        difference = (quadratic - times * original) / spread
        found[name] = (difference - difference.mean(1, keepdim=True)).abs().amax(1)
    return found
