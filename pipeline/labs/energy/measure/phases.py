"""E5: the essay's three kinds of fixed points, over beta and the similarity of the patterns."""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.bounds import Count, Positive, Size, Tolerance, refuse_large
from pipeline.config import Section, Seeds
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data.patterns import random_clusters, random_unit
from pipeline.labs.energy.models import continuous

KINDS = ("global", "metastable", "single")


class PhaseConfig(Section):
    """``patterns`` unit vectors in ``d`` dimensions in ``clusters`` equal groups.

    A fixed point is *global* if it averages over more than ``global_above`` of all patterns,
    *single* if over fewer than ``single_below`` patterns (both in exp(entropy) of the softmax).
    The branches follow ``branch_points`` betas from ``branch_low`` to ``branch_high``, a geometric
    ladder.
    """

    seeds: Seeds
    d: Annotated[int, Field(ge=2, le=4096)]
    patterns: Annotated[int, Field(ge=2, le=4096)]
    clusters: Size
    betas: Annotated[tuple[Positive, ...], Field(min_length=2)]
    similarities: Annotated[tuple[Annotated[float, Field(ge=0, lt=1)], ...], Field(min_length=1)]
    global_above: Annotated[float, Field(gt=0, lt=1)]
    single_below: Annotated[float, Field(gt=1, le=4096)]
    branch_low: Positive
    branch_high: Positive
    branch_points: Annotated[int, Field(ge=3, le=10**5)]
    tolerance: Tolerance
    max_steps: Count

    @model_validator(mode="after")
    def _fits(self) -> "PhaseConfig":
        if self.patterns % self.clusters:
            raise ValueError(
                f"clusters must divide patterns, got {self.clusters} and {self.patterns}"
            )
        refuse_large("seeds * patterns * patterns", len(self.seeds), self.patterns, self.patterns)
        if self.branch_low >= self.branch_high:
            raise ValueError(
                f"branch_low must be < branch_high, got {self.branch_low} and {self.branch_high}"
            )
        return self


@dataclass(frozen=True)
class Diagram:
    """Of all patterns' fixed points: the fraction of each kind, and the median effective number."""

    fraction: Float[Tensor, "kind similarity beta"]
    effective_number: Float[Tensor, "similarity beta"]


def diagram(config: PhaseConfig) -> Diagram:
    """Start at every pattern, and class the fixed points reached by exp(entropy)."""
    fractions, effective = [], []
    for similarity in config.similarities:
        patterns = _patterns(config, similarity)
        for beta in config.betas:
            number = _effective(_fixed_points(config, patterns, patterns, beta), patterns, beta)
            whole = (number > config.global_above * config.patterns).double().mean()
            single = (number < config.single_below).double().mean()
            fractions.append(torch.stack([whole, 1 - whole - single, single]))
            effective.append(number.median())
    shape = (len(config.similarities), len(config.betas))
    return Diagram(
        torch.stack(fractions, dim=1).view(3, *shape), torch.stack(effective).view(shape)
    )


@dataclass(frozen=True)
class Branches:
    """Both branches for patterns without clusters, followed as beta changes.

    *up* starts at the average of all patterns and low beta; *down* at the first pattern and high
    beta. A branch is itself as long as it averages over more (*up*) or fewer (*down*) than sqrt(N)
    patterns, between 1 and N on a logarithmic scale; ``global_ends`` and ``single_ends`` are the
    last such beta on its way. At ``equal_energy`` both exist and have equal energies (nan if
    nowhere).
    """

    betas: Float[Tensor, " beta"]
    number: Float[Tensor, "2 seed beta"]
    energy: Float[Tensor, "2 seed beta"]
    global_ends: Float[Tensor, " seed"]
    single_ends: Float[Tensor, " seed"]
    equal_energy: Float[Tensor, " seed"]


def branches(config: PhaseConfig) -> Branches:
    """Follow the global branch upwards in beta and the single-pattern branch downwards."""
    patterns = random_unit(config.patterns, config.d, generators(config.seeds, purpose=1))
    betas = torch.logspace(
        math.log10(config.branch_low), math.log10(config.branch_high), config.branch_points,
        dtype=torch.float64,
    )  # fmt: skip
    start = patterns.mean(1, keepdim=True), patterns[:, :1]
    up = _follow(config, patterns, start[0], betas)
    down = [series.flip(-1) for series in _follow(config, patterns, start[1], betas.flip(0))]
    number, energy = (torch.stack(pair) for pair in zip(up, down, strict=True))
    is_global, is_single = number[0] > config.patterns**0.5, number[1] < config.patterns**0.5
    return Branches(
        betas, number, energy,
        global_ends=_last(betas, is_global), single_ends=_last(betas.flip(0), is_single.flip(-1)),
        equal_energy=_crossing(betas.log(), energy[1] - energy[0], is_global & is_single).exp(),
    )  # fmt: skip


def equal_energy_theory(config: PhaseConfig) -> float:
    """Return beta = 2 log N, where -1/2 (a unit pattern alone) is -log N / beta (their average)."""
    return 2 * math.log(config.patterns)


def _patterns(config: PhaseConfig, similarity: float) -> Tensor:
    return random_clusters(
        config.clusters, config.patterns, config.d, similarity, generators(config.seeds)
    )


def _fixed_points(config: PhaseConfig, states: Tensor, patterns: Tensor, beta: float) -> Tensor:
    states, _ = continuous.fixed_points(
        states, patterns, beta, tolerance=config.tolerance, max_steps=config.max_steps
    )
    return states


def _effective(states: Tensor, patterns: Tensor, beta: float) -> Tensor:
    return continuous.effective_number(continuous.attention(states, patterns, beta))


def _follow(
    config: PhaseConfig, patterns: Tensor, states: Tensor, betas: Tensor
) -> tuple[Tensor, Tensor]:
    numbers, energies = [], []
    for beta in betas.tolist():
        states = _fixed_points(config, states, patterns, beta)
        numbers.append(_effective(states, patterns, beta)[:, 0])
        energies.append(continuous.energy(states, patterns, beta)[:, 0])
    return torch.stack(numbers, dim=1), torch.stack(energies, dim=1)


def _last(betas: Tensor, holds: Tensor) -> Tensor:
    # The last beta before the first at which it no longer holds; the first beta if it never did.
    index = holds.long().cumprod(-1).sum(-1).clamp(min=1) - 1
    return betas[index]


def _crossing(x: Tensor, values: Tensor, coexist: Tensor) -> Tensor:
    change = (values[:, :-1] > 0) & (values[:, 1:] <= 0) & coexist[:, :-1] & coexist[:, 1:]
    k = change.long().argmax(-1, keepdim=True)
    low, high = values.gather(1, k), values.gather(1, k + 1)
    zero = x[k] + (x[k + 1] - x[k]) * low / (low - high)
    return torch.where(change.any(-1), zero[:, 0], torch.nan)
