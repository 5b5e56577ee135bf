"""The four families of distributions, as the study's notebook defines them, and their sections."""

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float, Int
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.bounds import Scale, Size, refuse_large
from pipeline.config import Section, Seeds
from pipeline.labs.memory.data.distribution import Distribution

Fraction = Annotated[float, Field(gt=0, le=1)]
Tokens = Annotated[int, Field(ge=2, le=1000)]  # drawing takes 12 N^3 bytes
Scales = Annotated[tuple[Scale, ...], Field(min_length=1)]
Support = Int[Tensor, "..."]  # [*context, kept]: the tokens that may follow each context


def uniform_contexts(N: int) -> tuple[Tensor, Tensor]:
    """Return uniform p(a) and p(b | a)."""
    return torch.full((N,), 1 / N, dtype=torch.float64), torch.full(
        (N, N), 1 / N, dtype=torch.float64
    )


def draw_supports(
    N: int, support_sizes: Sequence[int], generator: torch.Generator
) -> tuple[Support, Support, Support]:
    """Draw, for every conditioning context, an ordered choice of ``support_sizes[i]`` tokens."""
    shapes = ((N,), (N, N), (N, N, N))
    first, second, third = (
        torch.rand(*shape, generator=generator).argsort(-1)[..., :kept]
        for shape, kept in zip(shapes, support_sizes, strict=True)
    )
    return first, second, third


def power_unif(alphas: Sequence[float], supports: Sequence[Support], N: int) -> Distribution:
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
    return Distribution(*parts)


def last_position(N: int, k: float, p: float, generator: torch.Generator) -> Distribution:
    """Uniform contexts; p on one token drawn in proportion to (1 - i/N)^k, the rest spread evenly.

    k = 0 chooses that token uniformly; the other N - 1 tokens share 1 - p.
    """
    importance = (1 - torch.arange(N, dtype=torch.float64) / N) ** k
    chosen = torch.multinomial(importance, N * N, replacement=True, generator=generator)
    third = torch.full((N * N, N), (1 - p) / (N - 1), dtype=torch.float64)
    third.scatter_(1, chosen[:, None], p)
    return Distribution(*uniform_contexts(N), third.view(N, N, N))


def rank_d(
    N: int, d: int, axis_aligned: bool, logit_scale: float, generator: torch.Generator
) -> tuple[Distribution, Float[Tensor, "N d"]]:
    """Uniform contexts; logits logit_scale * W g, g standard normal in R^d; return W too.

    W is the first d columns of the identity, or of a standard normal N x N matrix.
    """
    whole = torch.eye(N, dtype=torch.float64)
    if not axis_aligned:
        whole = torch.randn(N, N, generator=generator, dtype=torch.float64)
    W = whole[:, :d]
    g = torch.randn(N * N, d, generator=generator, dtype=torch.float64)
    third = (logit_scale * g @ W.T).softmax(1)
    return Distribution(*uniform_contexts(N), third.view(N, N, N)), W


def almost_rank_d(
    N: int, d: int, axis_aligned: bool, high: float, low: float, generator: torch.Generator
) -> Distribution:
    """Uniform contexts; normal logits whose singular values are ``high`` d times, then ``low``.

    The right singular vectors are the identity if axis aligned.
    """
    logits = torch.randn(N * N, N, generator=generator, dtype=torch.float64)
    left, _, right = torch.linalg.svd(logits, full_matrices=False)
    values = torch.full((N,), low, dtype=torch.float64)
    values[:d] = high
    directions = torch.eye(N, dtype=torch.float64) if axis_aligned else right
    third = ((left * values) @ directions).softmax(1)
    return Distribution(*uniform_contexts(N), third.view(N, N, N))


class PowerConfig(Section):
    """power_unif distributions [alpha_1, alpha_1, alpha_2] of every pair of the lists."""

    N: Tokens
    support_sizes: tuple[Size, Size, Size]
    alpha_1: Annotated[tuple[Fraction, ...], Field(min_length=1)]
    alpha_2: Annotated[tuple[Fraction, ...], Field(min_length=1)]
    seeds: Seeds

    @model_validator(mode="after")
    def _tokens_exist(self) -> "PowerConfig":
        if not all(1 <= kept <= self.N for kept in self.support_sizes):
            raise ValueError(
                f"support_sizes must be from 1 to N = {self.N}, got {list(self.support_sizes)}"
            )
        return self

    @property
    def alphas(self) -> list[tuple[float, float, float]]:
        """The alphas of each distribution."""
        return [(one, one, two) for one in self.alpha_1 for two in self.alpha_2]


class LastPositionConfig(Section):
    """A last_position distribution for every seed."""

    N: Tokens
    k: Annotated[float, Field(ge=0, le=20)]
    p: Fraction
    seeds: Seeds

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "LastPositionConfig":
        refuse_large("seeds * N * N * N", len(self.seeds), self.N, self.N, self.N)
        return self


class RankConfig(Section):
    """rank_d distributions for every scale and rank, axis aligned or not, over seeds."""

    N: Tokens
    ranks: Annotated[tuple[Size, ...], Field(min_length=1)]
    axis_aligned: Annotated[tuple[bool, ...], Field(min_length=1)]
    logit_scales: Scales
    seeds: Seeds

    @model_validator(mode="after")
    def _ranks_fit(self) -> "RankConfig":
        if max(self.ranks) > self.N:
            raise ValueError(f"ranks must not exceed N = {self.N}, got {list(self.ranks)}")
        cases = (self.logit_scales, self.ranks, self.axis_aligned, self.seeds)
        distributions = math.prod(len(each) for each in cases)
        refuse_large("distributions * N * N * N", distributions, self.N, self.N, self.N)
        return self


class AlmostRankConfig(Section):
    """An almost_rank_d distribution for every scale of ``high`` and ``low``, and every seed."""

    N: Tokens
    rank: Size
    axis_aligned: bool
    high: Annotated[float, Field(ge=0, le=1000)]
    low: Annotated[float, Field(ge=0, le=1000)]
    logit_scales: Scales
    seeds: Seeds

    @model_validator(mode="after")
    def _rank_fits(self) -> "AlmostRankConfig":
        if self.rank > self.N:
            raise ValueError(f"rank must not exceed N = {self.N}, got {self.rank}")
        distributions = len(self.logit_scales) * len(self.seeds)
        refuse_large("distributions * N * N * N", distributions, self.N, self.N, self.N)
        return self
