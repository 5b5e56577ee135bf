"""What the engines fit: a batch of contexts with their weights, and what follows each of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.labs.memory.data.distribution import Distribution
from pipeline.labs.memory.kernels.unembed_kl import Target

Objective = Literal["divergence", "next_token"]


@dataclass(frozen=True)
class Batch:
    """What to predict: the target of chosen contexts ``pair`` = a N + b, or of all N^2 (None).

    ``first`` names the tokens that a can be, each member's in increasing order, where they are few:
    the tables of the first token then have so many rows instead of N.
    """

    pair: Int[Tensor, "member context"] | None
    target: Target
    first: Int[Tensor, "member row"] | None = None

    def row(self, N: int) -> Int[Tensor, "member context"]:
        """Return where the contexts stand among ``first`` x N; ValueError if all are chosen."""
        if self.pair is None:
            raise ValueError("all contexts are chosen: they stand at a N + b")
        if self.first is None:
            return self.pair
        return torch.searchsorted(self.first, self.pair // N) * N + self.pair % N


def full_batch(distributions: Sequence[Distribution], dtype: torch.dtype) -> Batch:
    """Return every context of each member's distribution that can occur, by its probability."""
    weight = torch.stack([one.contexts for one in distributions])
    counts = {int((row > 0).sum()) for row in weight}
    pair = None
    # Members must share a number of contexts to share an array; contexts of weight 0 cost time.
    if len(counts) == 1 and counts != {weight.shape[1]}:
        pair = torch.stack([(row > 0).nonzero()[:, 0] for row in weight])
        weight = weight.gather(1, pair)
    return Batch(pair, _target(distributions, pair, weight, dtype), _first_tokens(distributions))


def _first_tokens(distributions: Sequence[Distribution]) -> Int[Tensor, "member row"] | None:
    """Return the tokens that a can be, if they are as few for all members; None if they are all."""
    possible = torch.stack([one.first for one in distributions]) > 0
    counts = set(possible.sum(1).tolist())
    if len(counts) > 1 or counts == {possible.shape[1]}:
        return None
    return torch.stack([row.nonzero()[:, 0] for row in possible])


def reweighted(batch: Batch, weight: Float[Tensor, "member context"]) -> Batch:
    """Return the batch with other weights, each row to be normalised: another distribution."""
    t = batch.target
    normal = (weight / weight.sum(1, keepdim=True)).to(t.weight.dtype)
    entropy = torch.zeros_like(t.entropy)
    if t.distribution is not None:
        entropy = -(torch.xlogy(t.distribution, t.distribution).sum(1) * normal).sum(1)
    return Batch(batch.pair, Target(normal, t.token, t.distribution, entropy), batch.first)


def sampled_contexts(
    distributions: Sequence[Distribution], count: int, streams: Sequence[torch.Generator]
) -> Int[Tensor, "member count 2"]:
    """Draw (context, next token) for each member from its own distribution and generator."""
    drawn = [one.sample(count, g) for one, g in zip(distributions, streams, strict=True)]
    return torch.stack(
        [
            torch.stack([t[:, 0] * one.N + t[:, 1], t[:, 2]], 1)
            for one, t in zip(distributions, drawn, strict=True)
        ]
    )


def minibatches(
    distributions: Sequence[Distribution],
    triples: Int[Tensor, "member count 2"],
    batch_size: int,
    objective: Objective,
    dtype: torch.dtype,
) -> Iterator[Batch]:
    """Go through the sampled contexts for ever, in their order, a batch at a time.

    Distributions and contexts stand on one device, and so do the batches.
    """
    members, count, _ = triples.shape
    device = triples.device
    weight = torch.full((members, batch_size), 1 / batch_size, dtype=dtype, device=device)
    none = torch.zeros(members, dtype=dtype, device=device)
    first = _first_tokens(distributions)
    # Casting a distribution and taking its entropies at every step would cost as much as the step.
    tables = [] if _certain(distributions) else [one.conditional.to(dtype) for one in distributions]
    entropies = torch.stack([one.entropies for one in distributions])
    answers = torch.stack([distribution.conditional.argmax(1) for distribution in distributions])
    while True:
        for start in range(0, count, batch_size):
            part = triples[:, start : start + batch_size]
            pair = part[:, :, 0].contiguous()
            if objective == "next_token":
                target = Target(weight, part[:, :, 1].contiguous(), None, none)
            elif not tables:
                target = Target(weight, answers.gather(1, pair), None, none)
            else:
                rows = [p[at] for p, at in zip(tables, pair, strict=True)]
                following = torch.stack(rows).transpose(1, 2).contiguous()
                entropy = entropies.gather(1, pair).mean(1).to(dtype)
                target = Target(weight, None, following, entropy)
            yield Batch(pair, target, first)


def _certain(distributions: Sequence[Distribution]) -> bool:
    """Tell whether every context that can occur has one next token."""
    return all(bool((one.conditional.amax(1) == 1).all()) for one in distributions)


def _target(
    distributions: Sequence[Distribution], pair: Tensor | None, weight: Tensor, dtype: torch.dtype
) -> Target:
    rows = [
        one.conditional if pair is None else one.conditional[pair[k]]
        for k, one in enumerate(distributions)
    ]
    p = torch.stack(rows)
    if _certain(distributions):
        certain = torch.zeros(len(distributions), dtype=dtype)
        return Target(weight.to(dtype), p.argmax(2), None, certain)
    entropy = -(torch.xlogy(p, p).sum(2) * weight).sum(1)
    by_token = p.transpose(1, 2).to(dtype).contiguous()
    return Target(weight.to(dtype), None, by_token, entropy.to(dtype))
