"""The four laws of triples (a, b, c), with their entropy, marginals and samples.

Definitions follow the study's notebook; each law is exact, in float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.config import Section, Seeds

BLOCK = 2**15
ROUNDING = 1e-9  # sums of up to 1e4 float64 terms stay well within it
Fraction = Annotated[float, Field(gt=0, le=1)]
Tokens = Annotated[int, Field(ge=2, le=2000)]
Support = Int[Tensor, "..."]  # [*context, kept]: the tokens that may follow each context


@dataclass(frozen=True)
class Law:
    """p(a), p(b | a) and p(c | a, b); ValueError if one is negative or does not normalise."""

    first: Float[Tensor, " N"]
    second: Float[Tensor, "N N"]
    third: Float[Tensor, "N N N"]

    def __post_init__(self) -> None:
        """Refuse what is no law."""
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
    found = []
    # Blocks bound the memory: millions of draws from rows of hundreds of entries.
    for rows, level in zip(row.split(BLOCK), u.split(BLOCK), strict=True):
        weights = cumulative if len(cumulative) == 1 else cumulative[rows]
        # Scaling by the total keeps a draw below it, whatever the rounding of the sum.
        scaled = level[:, None] * weights[:, -1:]
        if len(cumulative) == 1:
            found.append(torch.searchsorted(weights[0], scaled[:, 0], right=True))
        else:
            found.append(torch.searchsorted(weights, scaled, right=True)[:, 0])
    return torch.cat(found)


def uniform_contexts(N: int) -> tuple[Tensor, Tensor]:
    """Return uniform p(a) and p(b | a)."""
    return torch.full((N,), 1 / N, dtype=torch.float64), torch.full(
        (N, N), 1 / N, dtype=torch.float64
    )


def draw_supports(
    N: int, nb_tokens: Sequence[int], generator: torch.Generator
) -> tuple[Support, Support, Support]:
    """Draw, for every conditioning context, an ordered choice of ``nb_tokens[i]`` of N tokens."""
    shapes = ((N,), (N, N), (N, N, N))
    first, second, third = (
        torch.rand(*shape, generator=generator).argsort(-1)[..., :kept]
        for shape, kept in zip(shapes, nb_tokens, strict=True)
    )
    return first, second, third


def power_unif(alphas: Sequence[float], supports: Sequence[Support], N: int) -> Law:
    """Weights alpha^0, alpha^1, ... on the ordered tokens of each support, normalised.

    With alpha = 1 a support is uniform; a last support of one token is a random look-up table.
    """
    parts = []
    for alpha, support in zip(alphas, supports, strict=True):
        rank = torch.arange(support.shape[-1], dtype=torch.float64)
        weights = torch.tensor(alpha, dtype=torch.float64) ** rank
        weights = (weights / weights.sum()).expand(support.shape)
        p = torch.zeros(*support.shape[:-1], N, dtype=torch.float64)
        parts.append(p.scatter_(-1, support, weights))
    return Law(*parts)


def last_position(N: int, k: float, p: float, generator: torch.Generator) -> Law:
    """Uniform contexts; p on one token drawn in proportion to (1 - i/N)^k, the rest spread evenly.

    k = 0 chooses that token uniformly; the other N - 1 tokens share 1 - p.
    """
    importance = (1 - torch.arange(N, dtype=torch.float64) / N) ** k
    chosen = torch.multinomial(importance, N * N, replacement=True, generator=generator)
    third = torch.full((N * N, N), (1 - p) / (N - 1), dtype=torch.float64)
    third.scatter_(1, chosen[:, None], p)
    return Law(*uniform_contexts(N), third.view(N, N, N))


def rank_d(
    N: int, d: int, axis_aligned: bool, flat: float, generator: torch.Generator
) -> tuple[Law, Float[Tensor, "N d"]]:
    """Uniform contexts; logits flat * W g, g standard normal in R^d; return the law and W.

    W is the first d columns of the identity, or of a standard normal N x N matrix.
    """
    whole = torch.eye(N, dtype=torch.float64)
    if not axis_aligned:
        whole = torch.randn(N, N, generator=generator, dtype=torch.float64)
    W = whole[:, :d]
    g = torch.randn(N * N, d, generator=generator, dtype=torch.float64)
    third = (flat * g @ W.T).softmax(1)
    return Law(*uniform_contexts(N), third.view(N, N, N)), W


def almost_rank_d(
    N: int, d: int, axis_aligned: bool, high: float, low: float, generator: torch.Generator
) -> Law:
    """Uniform contexts; normal logits whose singular values are ``high`` d times, then ``low``.

    The right singular vectors are the identity if axis aligned.
    """
    logits = torch.randn(N * N, N, generator=generator, dtype=torch.float64)
    left, _, right = torch.linalg.svd(logits, full_matrices=False)
    values = torch.full((N,), low, dtype=torch.float64)
    values[:d] = high
    directions = torch.eye(N, dtype=torch.float64) if axis_aligned else right
    third = ((left * values) @ directions).softmax(1)
    return Law(*uniform_contexts(N), third.view(N, N, N))


class PowerConfig(Section):
    """power_unif laws [alpha_1, alpha_1, alpha_2] for every pair of the lists, over seeds."""

    N: Tokens
    nb_tokens: tuple[int, int, int]
    alpha_1: Annotated[tuple[Fraction, ...], Field(min_length=1)]
    alpha_2: Annotated[tuple[Fraction, ...], Field(min_length=1)]
    seeds: Seeds

    @model_validator(mode="after")
    def _tokens_exist(self) -> "PowerConfig":
        if not all(1 <= kept <= self.N for kept in self.nb_tokens):
            raise ValueError(
                f"nb_tokens must be from 1 to N = {self.N}, got {list(self.nb_tokens)}"
            )
        return self

    @property
    def alphas(self) -> list[tuple[float, float, float]]:
        """The alphas of each law."""
        return [(one, one, two) for one in self.alpha_1 for two in self.alpha_2]


class LastPositionConfig(Section):
    """A last_position law for every seed."""

    N: Tokens
    k: Annotated[float, Field(ge=0, le=20)]
    p: Fraction
    seeds: Seeds


class RankConfig(Section):
    """rank_d laws for every rank, axis aligned or not, over seeds."""

    N: Tokens
    ranks: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    axis_aligned: Annotated[tuple[bool, ...], Field(min_length=1)]
    flat: Annotated[float, Field(gt=0)]
    seeds: Seeds

    @model_validator(mode="after")
    def _ranks_fit(self) -> "RankConfig":
        if max(self.ranks) > self.N:
            raise ValueError(f"ranks must not exceed N = {self.N}, got {list(self.ranks)}")
        return self


class AlmostRankConfig(Section):
    """An almost_rank_d law for every seed."""

    N: Tokens
    rank: Annotated[int, Field(ge=1)]
    axis_aligned: bool
    high: Annotated[float, Field(ge=0)]
    low: Annotated[float, Field(ge=0)]
    seeds: Seeds

    @model_validator(mode="after")
    def _rank_fits(self) -> "AlmostRankConfig":
        if self.rank > self.N:
            raise ValueError(f"rank must not exceed N = {self.N}, got {self.rank}")
        return self
