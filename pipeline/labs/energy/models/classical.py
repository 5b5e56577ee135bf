"""The classical network (Hopfield 1982; the essay's section 3, "Classical discrete").

E(xi) = -xi.W xi / 2 + xi.b with W = sum of x x^T over the patterns, as the essay writes it; the
update is the sign of *minus* the gradient, sgn(W xi - b) (the essay's text drops the minus, its
formula does not). A field of zero leaves a spin as it is. Fields and energies of spins are whole
numbers below 2^24, so float32 computes them exactly.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pipeline.labs.energy.data.patterns import require_patterns, require_spins

COMPACT_EVERY = 32  # steps between looks for stable states, which then leave the computation


@dataclass(frozen=True)
class FinalStates:
    """Where a dynamics ended: the states, the flips or steps they took, and how they ended."""

    states: Float[Tensor, "member state d"]
    steps: Int[Tensor, "member state"]
    two_cycle: Bool[Tensor, "member state"]
    uphill: Bool[Tensor, "member state"]


def weights(
    patterns: Float[Tensor, "member pattern d"], *, diagonal: bool
) -> Float[Tensor, "member d d"]:
    """Return W, the sum of x x^T over the patterns, its diagonal kept or set to zero.

    Raises ValueError for fewer than two patterns, or patterns that are not +-1.
    """
    require_patterns(patterns)
    require_spins(patterns, "patterns")
    W = patterns.mT @ patterns
    if not diagonal:
        W.diagonal(dim1=-2, dim2=-1).zero_()
    return W


def energy(
    states: Float[Tensor, "member state d"],
    W: Float[Tensor, "member d d"],
    bias: Float[Tensor, "member d"] | None = None,
) -> Float[Tensor, "member state"]:
    """Return E = -xi.W xi / 2 + xi.b for each state."""
    quadratic = -0.5 * ((states @ W) * states).sum(-1)
    return quadratic if bias is None else quadratic + (states * bias[:, None]).sum(-1)


def synchronous_step(
    states: Float[Tensor, "member state d"],
    W: Float[Tensor, "member d d"],
    bias: Float[Tensor, "member d"] | None = None,
) -> Float[Tensor, "member state d"]:
    """Update all spins at once, xi <- sgn(W xi - b)."""
    field = states @ W if bias is None else states @ W - bias[:, None]
    return torch.where(field == 0, states, field.sign())


def converge_synchronous(
    states: Float[Tensor, "member state d"], W: Float[Tensor, "member d d"], max_steps: int
) -> FinalStates:
    """Repeat synchronous steps until every state rests or alternates between two.

    With symmetric W there is nothing else to end in (Goles-Chacc et al. 1985). States that are
    still moving after ``max_steps`` are returned as they are.
    """
    require_spins(states, "states")
    before, now = torch.full_like(states, torch.nan), states
    shape = states.shape[:2]
    uphill = torch.zeros(shape, dtype=torch.bool)
    steps = torch.zeros(shape, dtype=torch.int64)
    height = energy(now, W)
    for _ in range(max_steps):
        after = synchronous_step(now, W)
        moving = (after != now).any(-1) & (after != before).any(-1)
        if not bool(moving.any()):
            break
        height, last = energy(after, W), height
        uphill |= height > last
        steps += moving
        before, now = now, after
    after = synchronous_step(now, W)
    cycle = (after != now).any(-1) & (after == before).all(-1)
    return FinalStates(now, steps, cycle, uphill)


def converge_asynchronous(
    states: Float[Tensor, "member state d"],
    W: Float[Tensor, "member d d"],
    order: Float[Tensor, "member state d"],
    max_flips: int,
) -> FinalStates:
    """Visit spins one at a time in each state's own order, again and again, until none would flip.

    ``order`` holds a distinct number for each spin; they are visited from the lowest to the
    highest. Between two flips no field changes, so the next spin to flip is the first unstable one
    after the last: a step here is one flip in every state, and visits without a flip cost nothing.
    """
    require_spins(states, "states")
    members, count, d = states.shape
    result = states.reshape(-1, d).clone()
    flips = torch.zeros(members * count, dtype=torch.int64)
    rise = torch.zeros(members * count, dtype=torch.bool)
    row = torch.arange(members * count)
    live = _Live(row, row // count, result.clone(), (states @ W).reshape(-1, d),
                 order.reshape(-1, d), torch.full((members * count, 1), -torch.inf))  # fmt: skip
    for step in range(max_flips):
        if step % COMPACT_EVERY == 0:
            moving = live.unstable().any(1)
            result[live.row] = live.spins
            live = live.only(moving)
            if not live.row.numel():
                break
        flipped, gain = live.flip(W)
        flips[live.row] += flipped
        rise[live.row] |= gain > 0
    result[live.row] = live.spins
    shape = (members, count)
    return FinalStates(result.view(states.shape), flips.view(shape),
                   torch.zeros(shape, dtype=torch.bool), rise.view(shape))  # fmt: skip


@dataclass
class _Live:
    """The states that still move: row among all states, member, spins, fields, visiting order."""

    row: Tensor
    member: Tensor
    spins: Tensor
    field: Tensor
    order: Tensor
    cursor: Tensor

    def unstable(self) -> Tensor:
        return self.spins * self.field < 0

    def only(self, kept: Tensor) -> "_Live":
        return _Live(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))

    def flip(self, W: Tensor) -> tuple[Tensor, Tensor]:
        """Flip the next unstable spin of each state; return which flipped and the energy's change.

        A state with none left in this sweep starts the next one instead.
        """
        waiting = self.unstable() & (self.order > self.cursor)
        place, spin = torch.where(waiting, self.order, torch.inf).min(1, keepdim=True)
        flipped = torch.isfinite(place)
        value = self.spins.gather(1, spin)
        W_rows = W[self.member, spin[:, 0]]
        # E changes by 2 xi_i (h_i - W_ii xi_i): the field of the others alone.
        others = self.field.gather(1, spin) - W_rows.gather(1, spin) * value
        gain = torch.where(flipped, 2 * value * others, 0.0)
        self.field -= torch.where(flipped, 2 * value, 0.0) * W_rows
        self.spins.scatter_(1, spin, torch.where(flipped, -value, value))
        self.cursor = torch.where(flipped, place, -torch.inf)
        return flipped[:, 0], gain[:, 0]


def overlap(
    states: Float[Tensor, "member state d"], patterns: Float[Tensor, "member state d"]
) -> Float[Tensor, "member state"]:
    """Return m, the mean over spins of state times pattern."""
    return (states * patterns).mean(-1)
