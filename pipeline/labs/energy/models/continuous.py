"""The continuous network (Ramsauer et al. 2020; the essay's eq. "energyfunc", with beta).

E(xi) = |xi|^2 / 2 - lse(beta, X^T xi) / beta, where lse(beta, s) = log sum exp(beta s). Its
gradient is xi - T(xi) with T(xi) = X softmax(beta X^T xi), so a step of gradient descent of size
gamma goes from xi to (1 - gamma) xi + gamma T(xi), and gamma = 1 is attention with keys = values =
patterns.

Because E is |xi|^2 / 2 minus a convex function, for every beta
    E(xi - gamma g) - E(xi) <= -gamma (1 - gamma / 2) |g|^2,    g = xi - T(xi):
no step of size gamma in (0, 2] goes uphill.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from pipeline.labs.energy.data.patterns import (
    require_beta,
    require_finite,
    require_gamma,
    require_patterns,
)


def energy(
    states: Float[Tensor, "*member state d"],
    patterns: Float[Tensor, "*member pattern d"],
    beta: float,
) -> Float[Tensor, "*member state"]:
    """Return E for each state; ValueError for beta <= 0, one pattern, or values not finite."""
    _check(states, patterns, beta)
    scores = beta * states @ patterns.mT
    return states.square().sum(-1) / 2 - scores.logsumexp(-1) / beta


def attention(
    states: Float[Tensor, "*member state d"],
    patterns: Float[Tensor, "*member pattern d"],
    beta: float,
) -> Float[Tensor, "*member state pattern"]:
    """Return softmax(beta X^T xi), the weight of each pattern in a state's update."""
    _check(states, patterns, beta)
    return _weights(states, patterns, beta)


def update(
    states: Float[Tensor, "*member state d"],
    patterns: Float[Tensor, "*member pattern d"],
    beta: float,
    gamma: float = 1.0,
) -> Float[Tensor, "*member state d"]:
    """Take one step of size gamma in (0, 2]; with 1 it is attention. ValueError as energy."""
    require_gamma(gamma)
    retrieved = attention(states, patterns, beta) @ patterns
    return retrieved if gamma == 1 else torch.lerp(states, retrieved, gamma)


def retrieve(
    states: Float[Tensor, "*member state d"],
    patterns: Float[Tensor, "*member pattern d"],
    beta: float,
) -> Float[Tensor, "*member state d"]:
    """Update many states by torch's fused attention, which never holds their weights.

    The same numbers as :func:`update` to rounding.
    """
    _check(states, patterns, beta)
    # Its fast form takes [batch, head, time, d].
    queries, keys = (x.reshape(-1, 1, *x.shape[-2:]) for x in (states, patterns))
    out = functional.scaled_dot_product_attention(queries, keys, keys, scale=beta)
    return out.reshape(states.shape)


def fixed_points(
    states: Float[Tensor, "*member state d"],
    patterns: Float[Tensor, "*member pattern d"],
    beta: float,
    *,
    tolerance: float,
    max_steps: int,
) -> tuple[Float[Tensor, "*member state d"], int]:
    """Update until no state moves by more than ``tolerance``; return the states and the steps."""
    # Once: averages of finite patterns are finite, and the check is a quarter of a small update.
    _check(states, patterns, beta)
    for step in range(max_steps):
        after = _weights(states, patterns, beta) @ patterns
        moved = (after - states).norm(dim=-1).max()
        states = after
        if moved <= tolerance:
            return states, step + 1
    return states, max_steps


def separation(
    states: Float[Tensor, "*member pattern d"], patterns: Float[Tensor, "*member pattern d"]
) -> Float[Tensor, "*member pattern"]:
    """Return Delta for state i near pattern i: its score with x_i minus the best of the others."""
    require_patterns(patterns)
    scores = states @ patterns.mT
    target = scores.diagonal(dim1=-2, dim2=-1)
    others = scores.masked_fill(
        torch.eye(scores.shape[-1], dtype=torch.bool, device=scores.device), -torch.inf
    )
    return target - others.amax(-1)


def retrieval_bound(
    delta: Float[Tensor, "*member pattern"],
    patterns: Float[Tensor, "*member pattern d"],
    beta: float,
) -> Float[Tensor, "*member pattern"]:
    """Bound the error |T(xi) - x_i| of one step, by 2 (N - 1) M exp(-beta Delta).

    M is the largest norm of a pattern: the others share at most (N - 1) exp(-beta Delta) of the
    weight and are at most 2 M away (Ramsauer et al. 2020, theorem 5, at the state itself).
    """
    require_beta(beta)
    largest = patterns.norm(dim=-1).amax(-1, keepdim=True)
    return 2 * (patterns.shape[-2] - 1) * largest * torch.exp(-beta * delta)


def effective_number(
    weights: Float[Tensor, "*member state pattern"],
) -> Float[Tensor, "*member state"]:
    """Return exp(entropy of the weights): how many patterns a state averages over."""
    return torch.special.entr(weights).sum(-1).exp()


def basins(
    ends: Float[Tensor, "state d"], tolerance: float
) -> tuple[Float[Tensor, "attractor d"], Int[Tensor, " state"]]:
    """Group end points that lie within ``tolerance`` of one another's first; return both.

    The attractors are in the order of their first state; each state gets its attractor's index.
    """
    attractors = ends[:0]
    label = torch.full(ends.shape[:1], -1, dtype=torch.int64)
    while bool((label < 0).any()):
        first = ends[label < 0][:1]
        near = (ends - first).norm(dim=-1) <= tolerance
        label[near & (label < 0)] = len(attractors)
        attractors = torch.cat([attractors, first])
    return attractors, label


def _weights(states: Tensor, patterns: Tensor, beta: float) -> Tensor:
    return (beta * states @ patterns.mT).softmax(-1)


def _check(states: Tensor, patterns: Tensor, beta: float) -> None:
    require_beta(beta)
    require_patterns(patterns)
    require_finite(states, "states")
