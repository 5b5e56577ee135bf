"""E4: the continuous network as attention: equality, descent, and the error of one step."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float, Float64
from pydantic import AfterValidator, Field, model_validator
from torch import Tensor

from pipeline.bounds import Count, NonNegative, Positive, Size, refuse_large
from pipeline.config import Section, Seeds, distinct
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data.patterns import random_clusters, random_unit
from pipeline.labs.energy.models import continuous


class RetrievalConfig(Section):
    """Patterns of dimension ``d`` in clusters of growing similarity, so that separation varies.

    ``gammas`` may go past 2, to show what is lost there. ``noises`` is the distance of a query from
    its pattern, in units of the pattern's norm.
    """

    seeds: Seeds
    d: Annotated[int, Field(ge=2, le=4096)]
    patterns: Annotated[int, Field(ge=2, le=4096)]
    clusters: Size
    similarities: tuple[Annotated[float, Field(ge=0, lt=1)], ...]
    noises: tuple[NonNegative, ...]
    betas: Annotated[tuple[Positive, ...], Field(min_length=1), AfterValidator(distinct)]
    gammas: tuple[Annotated[float, Field(ge=1e-6, le=4)], ...]
    states: Count

    @model_validator(mode="after")
    def _fits(self) -> "RetrievalConfig":
        if self.patterns % self.clusters:
            raise ValueError(
                f"clusters must divide patterns, got {self.clusters} and {self.patterns}"
            )
        seeds, states, width = (
            len(self.seeds),
            max(self.states, self.patterns),
            max(self.patterns, self.d),
        )
        refuse_large(
            "seeds * (the larger of states and patterns) * (of patterns and d)",
            seeds,
            states,
            width,
        )
        return self


def attention_difference(config: RetrievalConfig) -> Float[Tensor, " seed"]:
    """Return the largest difference between one update and torch's attention, over the betas."""
    streams = generators(config.seeds)
    patterns = random_unit(config.patterns, config.d, streams)
    states = random_unit(config.states, config.d, streams)
    differences = [
        continuous.update(states, patterns, beta)
        - torch.nn.functional.scaled_dot_product_attention(states, patterns, patterns, scale=beta)
        for beta in config.betas
    ]
    return torch.stack(differences).abs().amax((0, 2, 3))


@dataclass(frozen=True)
class Descent:
    """Steps of every size: how often the energy rose, and the largest excess over the bound."""

    uphill: Float[Tensor, "gamma seed"]
    excess: Float[Tensor, "gamma seed"]


def descent(config: RetrievalConfig) -> Descent:
    """Take one step from random states around the patterns, for every gamma and beta.

    States have norms of order 1 to 4. A rise smaller than float64's rounding of the energies is
    none; ``excess`` is the change of energy minus its bound -gamma (1 - gamma / 2) |g|^2.
    """
    streams = generators(config.seeds)
    patterns = random_unit(config.patterns, config.d, streams)
    scale = torch.linspace(1, 4, config.states, dtype=torch.float64)[:, None]
    states = random_unit(config.states, config.d, streams) * scale
    uphill, excess = [], []
    for gamma in config.gammas:
        rises, over = [], []
        for beta in config.betas:
            before = continuous.energy(states, patterns, beta)
            step = continuous.update(states, patterns, beta) - states
            after = continuous.energy(states + gamma * step, patterns, beta)
            rounding = 1e-13 * (1 + before.abs() + after.abs())
            bound = -gamma * (1 - gamma / 2) * step.square().sum(-1)
            rises.append((after - before > rounding).double().mean(-1))
            over.append((after - before - bound).amax(-1))
        uphill.append(torch.stack(rises).mean(0))
        excess.append(torch.stack(over).amax(0))
    return Descent(torch.stack(uphill), torch.stack(excess))


@dataclass(frozen=True)
class OneStep:
    """``one_step.npz``: each query's beta times separation, its error after one step, its bound.

    ``trivial`` is twice the largest norm of a pattern, which no average of patterns exceeds: only a
    bound below it says something.
    """

    beta_delta: Float64[np.ndarray, " query"]
    retrieval_error: Float64[np.ndarray, " query"]
    bound: Float64[np.ndarray, " query"]
    trivial: Float64[np.ndarray, " query"]


def one_step(config: RetrievalConfig) -> OneStep:
    """Retrieve noisy patterns in one step, for every similarity, noise and beta, all seeds.

    Queries that lie nearer to another pattern (Delta <= 0) have no bound worth the name and are
    left out.
    """
    streams = generators(config.seeds)
    queries = []
    for similarity in config.similarities:
        patterns = random_clusters(config.clusters, config.patterns, config.d, similarity, streams)
        offset = random_unit(config.patterns, config.d, streams)
        for noise in config.noises:
            states = patterns + noise * offset
            delta = continuous.separation(states, patterns)
            for beta in config.betas:
                error = (continuous.update(states, patterns, beta) - patterns).norm(dim=-1)
                bound = continuous.retrieval_bound(delta, patterns, beta)
                trivial = (2 * patterns.norm(dim=-1).amax(-1, keepdim=True)).expand_as(bound)
                kept = delta > 0
                values = (beta * delta, error, bound, trivial)
                queries.append(torch.stack([x[kept] for x in values]))
    return OneStep(*torch.cat(queries, dim=1).numpy())
