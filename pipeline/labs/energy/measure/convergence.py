"""E2, E3: do dense networks "converge quickly with high probability"?

Half as many patterns as the capacity, or far fewer; states a part of whose spins are flipped; and
all spins updated at once until none changes: how many rest after one update, and at their pattern?
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data.patterns import random_spins
from pipeline.labs.energy.measure.capacity import DenseConfig, ExponentialConfig
from pipeline.labs.energy.models import dense, exponential, nearest

LOADS = {"": 1 / 2, "_far_below": 1 / 16}  # of the capacity; by the ending of the results' names
RADIUS = 0.125  # part of the spins flipped at the start, where a criterion names none
STATES = 128  # of each seed, at most
MAX_UPDATES = 30
QUICK = 0.99  # of the states at rest after one update, at least: fixed before any number was seen
PURPOSE = 7  # of the seeds' streams: no other measure's patterns


@dataclass(frozen=True)
class Converged:
    """Shares of a seed's states: at rest after one update, and at their pattern; mean updates."""

    settled_in_one: Float[Tensor, " seed"]
    retrieved_in_one: Float[Tensor, " seed"]
    updates: Float[Tensor, " seed"]


def converge(
    gaps: Callable[[Tensor], Tensor],
    start: Float[Tensor, "seed state d"],
    targets: Float[Tensor, "seed state d"],
    tie: float,
) -> Converged:
    """Update until nothing changes; a gap within ``tie`` of zero leaves a spin as it is."""
    states, moving = start, torch.ones(start.shape[:2], dtype=torch.bool)
    updates = torch.zeros(start.shape[:2])
    first = settled = start
    for count in range(MAX_UPDATES):
        gap = gaps(states)
        after = torch.where(gap.abs() <= tie, states.double(), gap.sign()).float()
        moving = (after != states).any(-1)
        updates += moving
        if count == 0:
            first = after
        if count == 1:
            settled = after
        states = after
        if count and not bool(moving.any()):
            break
    rests = (settled == first).all(-1)
    return Converged(
        rests.double().mean(1),
        (first == targets).all(-1).double().mean(1),
        updates.double().mean(1),
    )


def dense_networks(config: DenseConfig) -> dict[str, dict[str, Tensor]]:
    """Measure every interaction at its largest dimension and parts of its theoretical capacity."""
    measured: dict[str, dict[str, Tensor]] = {}
    for name, interaction in config.interactions.items():
        d, a = max(interaction.dimensions), interaction.power
        capacity = float(dense.theory(np.array([float(d)]), a, config.bit_error)[0])
        measured[name] = {}
        for ending, load in LOADS.items():
            count = max(2, round(load * capacity))
            start, targets, patterns = _drawn(config.seeds, d, count, RADIUS)
            end = converge(_dense(patterns, a), start, targets, tie=0.0)
            measured[name] |= {key + ending: values for key, values in vars(end).items()}
    return measured


def exponential_networks(config: ExponentialConfig) -> dict[str, dict[str, Tensor]]:
    """Measure every criterion with a radius, likewise."""
    measured: dict[str, dict[str, Tensor]] = {}
    for name, criterion in config.criteria.items():
        if criterion.radius:
            d = max(criterion.dimensions)
            capacity = float(nearest.half_retrieved(np.array([float(d)]), criterion.radius)[0])
            measured[name] = {}
            for ending, load in LOADS.items():
                count = max(2, round(load * capacity))
                start, targets, patterns = _drawn(config.seeds, d, count, criterion.radius)
                end = converge(_exponential(patterns), start, targets, exponential.TIE)
                measured[name] |= {key + ending: values for key, values in vars(end).items()}
    return measured


def _dense(patterns: Tensor, a: int) -> Callable[[Tensor], Tensor]:
    return lambda states: dense.gaps(states, patterns, a)


def _exponential(patterns: Tensor) -> Callable[[Tensor], Tensor]:
    def gaps(states: Tensor) -> Tensor:
        of_all = exponential.Gaps.of(states)
        of_all.add(patterns)
        return of_all.value()

    return gaps


def _drawn(
    seeds: tuple[int, ...], d: int, count: int, radius: float
) -> tuple[Tensor, Tensor, Tensor]:
    streams = generators(seeds, purpose=PURPOSE)
    patterns = random_spins(count, d, streams)
    targets = patterns[:, :STATES]
    order = torch.stack([torch.rand(targets.shape[1:], generator=g) for g in streams]).argsort(-1)
    flipped = order < round(radius * d)
    return torch.where(flipped, -targets, targets), targets, patterns
