"""From laws to what the engines fit: weights of contexts, and the tokens or laws to predict."""

from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.labs.memory.exact import Problem
from pipeline.labs.memory.kernels.unembed_kl import Target
from pipeline.labs.memory.laws import Law

Objective = Literal["divergence", "next_token"]


def whole(laws: Sequence[Law], dtype: torch.dtype) -> Problem:
    """Return the whole of each member's law: every context that can occur, and its weight."""
    weight = torch.stack([law.contexts for law in laws])
    counts = {int((row > 0).sum()) for row in weight}
    pair = None
    # Members must share a number of contexts to share an array; contexts of weight 0 cost time.
    if len(counts) == 1 and counts != {weight.shape[1]}:
        pair = torch.stack([(row > 0).nonzero()[:, 0] for row in weight])
        weight = weight.gather(1, pair)
    return Problem(pair, _target(laws, pair, weight, dtype), _first_tokens(laws))


def _first_tokens(laws: Sequence[Law]) -> Int[Tensor, "member row"] | None:
    """Return the tokens that a can be, if they are as few for all members; None if they are all."""
    possible = torch.stack([law.first for law in laws]) > 0
    counts = set(possible.sum(1).tolist())
    if len(counts) > 1 or counts == {possible.shape[1]}:
        return None
    return torch.stack([row.nonzero()[:, 0] for row in possible])


def reweighted(problem: Problem, weight: Float[Tensor, "member context"]) -> Problem:
    """Return the problem with other weights, each row to be normalised: another yardstick."""
    t = problem.target
    normal = (weight / weight.sum(1, keepdim=True)).to(t.weight.dtype)
    entropy = torch.zeros_like(t.entropy)
    if t.law is not None:
        entropy = -(torch.xlogy(t.law, t.law).sum(1) * normal).sum(1)
    return Problem(problem.pair, Target(normal, t.token, t.law, entropy), problem.first)


def sampled_contexts(
    laws: Sequence[Law], count: int, streams: Sequence[torch.Generator]
) -> Int[Tensor, "member count 2"]:
    """Draw (context, next token) for each member from its own law and generator."""
    drawn = [law.sample(count, g) for law, g in zip(laws, streams, strict=True)]
    return torch.stack(
        [
            torch.stack([t[:, 0] * law.N + t[:, 1], t[:, 2]], 1)
            for law, t in zip(laws, drawn, strict=True)
        ]
    )


def batches(
    laws: Sequence[Law],
    triples: Int[Tensor, "member count 2"],
    batch_size: int,
    objective: Objective,
    dtype: torch.dtype,
) -> Iterator[Problem]:
    """Go through the sampled contexts for ever, in their order, a batch at a time."""
    members, count, _ = triples.shape
    weight = torch.full((members, batch_size), 1 / batch_size, dtype=dtype)
    none = torch.zeros(members, dtype=dtype)
    first = _first_tokens(laws)
    # Casting a law and taking its entropies at every step would cost as much as the step.
    tables = [] if _certain(laws) else [law.conditional.to(dtype) for law in laws]
    entropies = torch.stack([law.entropies for law in laws])
    answers = torch.stack([law.conditional.argmax(1) for law in laws])
    while True:
        for start in range(0, count, batch_size):
            part = triples[:, start : start + batch_size]
            pair = part[:, :, 0].contiguous()
            if objective == "next_token":
                target = Target(weight, part[:, :, 1].contiguous(), None, none)
            elif not tables:
                target = Target(weight, answers.gather(1, pair), None, none)
            else:
                rows = [p[own] for p, own in zip(tables, pair, strict=True)]
                law = torch.stack(rows).transpose(1, 2).contiguous()
                entropy = entropies.gather(1, pair).mean(1).to(dtype)
                target = Target(weight, None, law, entropy)
            yield Problem(pair, target, first)


def _certain(laws: Sequence[Law]) -> bool:
    """Tell whether every context that can occur has one next token."""
    return all(bool((law.conditional.amax(1) == 1).all()) for law in laws)


def _target(laws: Sequence[Law], pair: Tensor | None, weight: Tensor, dtype: torch.dtype) -> Target:
    rows = [
        law.conditional if pair is None else law.conditional[pair[k]] for k, law in enumerate(laws)
    ]
    p = torch.stack(rows)
    if _certain(laws):
        certain = torch.zeros(len(laws), dtype=dtype)
        return Target(weight.to(dtype), p.argmax(2), None, certain)
    entropy = -(torch.xlogy(p, p).sum(2) * weight).sum(1)
    by_token = p.transpose(1, 2).to(dtype).contiguous()
    return Target(weight.to(dtype), None, by_token, entropy.to(dtype))
