"""A distribution of triples (a, b, c), exact in float64: entropy, marginals, samples."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

BLOCK = 2**15
ROUNDING = 1e-9  # sums of up to 1e4 float64 terms stay well within it


@dataclass(frozen=True)
class Distribution:
    """p(a), p(b | a) and p(c | a, b); ValueError if one is negative or does not normalise."""

    first: Float[Tensor, " N"]
    second: Float[Tensor, "N N"]
    third: Float[Tensor, "N N N"]

    def __post_init__(self) -> None:
        """Refuse what is no distribution."""
        for name, p in (("p(a)", self.first), ("p(b|a)", self.second), ("p(c|a,b)", self.third)):
            if bool((p < 0).any()):
                raise ValueError(f"{name} must not be negative, got {float(p.min())}")
            total = p.sum(-1)
            wrong = (total - 1).abs().max()
            if not bool(wrong <= ROUNDING):
                worst = float(total.flatten()[(total - 1).abs().argmax()])
                raise ValueError(f"{name} must sum to 1, got a sum of {worst}")

    @property
    def N(self) -> int:  # noqa: N802
        """Number of tokens."""
        return len(self.first)

    @property
    def contexts(self) -> Float[Tensor, " context"]:
        """The probability of each context, at a N + b."""
        return (self.first[:, None] * self.second).flatten()

    @property
    def conditional(self) -> Float[Tensor, "context N"]:
        """p(c | a, b) by context, at a N + b."""
        return self.third.flatten(0, 1)

    @property
    def entropies(self) -> Float[Tensor, " context"]:
        """The entropy of c in each context, in nats, at a N + b."""
        return -torch.xlogy(self.conditional, self.conditional).sum(1)

    def entropy(self) -> Float[Tensor, ""]:
        """Return the entropy of c given (a, b) in nats, averaged over the contexts."""
        return (self.contexts * self.entropies).sum()

    def marginals(self) -> Float[Tensor, "3 N"]:
        """Return the exact distributions of a, of b and of c."""
        second = self.first @ self.second
        return torch.stack([self.first, second, self.contexts @ self.conditional])

    def divergence(self, logits: Float[Tensor, "context N"]) -> Float[Tensor, ""]:
        """Return the exact divergence of softmax(logits) from p(c | a, b), in nats.

        A perfect prediction is 0, though its logarithms may round below it.
        """
        p = self.conditional
        lost = torch.xlogy(p, p).sum(1) - (p * logits.double().log_softmax(1)).sum(1)
        return (self.contexts * lost).sum().clamp(min=0)

    def sample(self, count: int, generator: torch.Generator) -> Int[Tensor, "count 3"]:
        """Draw triples by the chain a, b, c."""
        context = _draw(
            self.contexts.cumsum(0)[None], torch.zeros(count, dtype=torch.long), generator
        )
        c = _draw(self.conditional.cumsum(1), context, generator)
        return torch.stack([context // self.N, context % self.N, c], 1)


def _draw(cumulative: Tensor, row: Int[Tensor, " count"], generator: torch.Generator) -> Tensor:
    """Draw one entry of each given row of cumulative weights."""
    u = torch.rand(len(row), generator=generator, dtype=torch.float64)
    drawn = []
    # Blocks bound the memory: millions of draws from rows of hundreds of entries.
    for rows, level in zip(row.split(BLOCK), u.split(BLOCK), strict=True):
        weights = cumulative if len(cumulative) == 1 else cumulative[rows]
        # Scaling by the total keeps a draw below it, whatever the rounding of the sum.
        scaled = level[:, None] * weights[:, -1:]
        if len(cumulative) == 1:
            drawn.append(torch.searchsorted(weights[0], scaled[:, 0], right=True))
        else:
            drawn.append(torch.searchsorted(weights, scaled, right=True)[:, 0])
    return torch.cat(drawn)
