"""E2 and E3: how many patterns against d, measured by streaming patterns past some of them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.bounds import Count, refuse_large
from pipeline.config import Section, Seeds
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data.patterns import random_spins
from pipeline.labs.energy.models import dense, exponential

Dimensions = Annotated[tuple[Annotated[int, Field(ge=4, le=2048)], ...], Field(min_length=2)]
# Its theory counts in 2^d; what passes is bound by the number of patterns long before.
ExponentialDimensions = Annotated[
    tuple[Annotated[int, Field(ge=4, le=512)], ...], Field(min_length=2)
]
BLOCK_ELEMENTS = 1_000_000  # overlaps in one computation: 8 MB of float64, near the cache

MOST_PATTERNS = 2.0**24  # random spins of so many patterns are drawn in about an hour a seed


class Interaction(Section):
    """F(x) = x^power, and the dimensions at which its capacity is measured."""

    power: Annotated[int, Field(ge=2, le=8)]
    dimensions: Dimensions


class DenseConfig(Section):
    """E2: the interactions by name, and the one-step bit error that defines the capacity.

    ``factors`` times the theory's number of patterns are measured; ``min_spins`` is the least
    number of spins behind one error rate of a seed; ``chunk`` patterns are held at once.
    """

    seeds: Seeds
    interactions: Annotated[Mapping[str, Interaction], Field(min_length=1)]
    bit_error: Annotated[float, Field(gt=0, lt=0.5)]
    factors: Annotated[tuple[Annotated[float, Field(ge=1e-3, le=1000)], ...], Field(min_length=2)]
    min_spins: Count
    states: Count
    chunk: Count

    @model_validator(mode="after")
    def _in_order(self) -> "DenseConfig":
        if list(self.factors) != sorted(set(self.factors)):
            raise ValueError(f"factors must increase, got {list(self.factors)}")
        refuse_large("states * chunk", self.states, self.chunk)
        for name, one in self.interactions.items():
            d = np.array(one.dimensions, float)
            most = self.factors[-1] * dense.theory(d, one.power, self.bit_error).max()
            if most > MOST_PATTERNS:
                raise ValueError(
                    f"interactions.{name} must need at most {MOST_PATTERNS:g} patterns, got "
                    f"{most:.3g} at d = {max(one.dimensions)}"
                )
        return self


class Criterion(Section):
    """What counts as stored, and where to look.

    ``radius``: the part of the spins flipped before one update. ``retrieved``: the fraction
    that must come back: of the states, or of whole draws if ``whole_draws`` (a draw comes back if
    all its patterns do). ``offsets``: log2 of the numbers of patterns tried over the theory's.
    """

    dimensions: ExponentialDimensions
    radius: Annotated[float, Field(ge=0, lt=0.5)]
    retrieved: Annotated[float, Field(gt=0, lt=1)]
    whole_draws: bool
    offsets: Annotated[tuple[Annotated[float, Field(ge=-30, le=30)], ...], Field(min_length=2)]
    samples: Count

    @model_validator(mode="after")
    def _in_order(self) -> "Criterion":
        if list(self.offsets) != sorted(set(self.offsets)):
            raise ValueError(f"offsets must increase, got {list(self.offsets)}")
        if self.whole_draws and (self.radius or self.retrieved != 0.5):
            raise ValueError("whole_draws has a theory for radius 0 and retrieved 0.5 alone")
        # A draw is held with the products of all its patterns; states meet patterns in chunks.
        most = 2.0**13 if self.whole_draws else MOST_PATTERNS
        if (log2_most := float(self.theory().max()) + self.offsets[-1]) > math.log2(most):
            raise ValueError(
                f"dimensions and offsets must need at most {most:g} patterns, got "
                f"2^{log2_most:.3g} at d = {max(self.dimensions)}"
            )
        return self

    def theory(self) -> NDArray[np.float64]:
        """Return the theory's log2 N at each dimension."""
        d = np.array(self.dimensions, float)
        if self.whole_draws:
            return np.log2(exponential.half_all_stable(d))
        if self.radius:
            return np.log2(exponential.half_retrieved(d, self.radius))
        return np.log2(exponential.fraction_stable(d, self.retrieved))


class ExponentialConfig(Section):
    """E3: the criteria by name; ``chunk`` patterns are held at once."""

    seeds: Seeds
    criteria: Annotated[Mapping[str, Criterion], Field(min_length=1)]
    chunk: Count

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "ExponentialConfig":
        samples = max(criterion.samples for criterion in self.criteria.values())
        refuse_large("samples * chunk", samples, self.chunk)
        return self


@dataclass(frozen=True)
class CapacityCell:
    """One point of a capacity curve: a power of E2 or a criterion of E3, at one dimension."""

    name: str
    d: int
    log2_theory: float
    config: DenseConfig | ExponentialConfig
    rule: int | Criterion

    @property
    def cost(self) -> float:
        """The spins of as many patterns as the theory says."""
        return self.d * 2.0**self.log2_theory

    @property
    def power(self) -> int | None:
        """The power of F, or None for E3."""
        return self.rule if isinstance(self.rule, int) else None


def cells(dense_config: DenseConfig, exponential_config: ExponentialConfig) -> list[CapacityCell]:
    """List the points of all curves."""
    points = []
    for name, interaction in dense_config.interactions.items():
        dimensions, a = interaction.dimensions, interaction.power
        theory = np.log2(dense.theory(np.array(dimensions, float), a, dense_config.bit_error))
        for d, value in zip(dimensions, theory.tolist(), strict=True):
            points.append(CapacityCell(name, d, value, dense_config, a))
    for name, criterion in exponential_config.criteria.items():
        theory = criterion.theory()
        for d, value in zip(criterion.dimensions, theory.tolist(), strict=True):
            points.append(CapacityCell(name, d, value, exponential_config, criterion))
    return points


def measure(cell: CapacityCell) -> NDArray[np.float64]:
    """Return log2 of the number of patterns at the capacity, one value a seed."""
    if isinstance(cell.config, DenseConfig):
        assert isinstance(cell.rule, int)
        return dense_capacity(cell.config, cell.rule, cell.d, cell.log2_theory)
    assert isinstance(cell.rule, Criterion)
    return exponential_capacity(cell.config, cell.rule, cell.d, cell.log2_theory)


def stream(
    counts: Sequence[int], start: int, d: int, chunk: int, streams: Sequence[torch.Generator]
) -> Iterator[tuple[Tensor | None, bool]]:
    """Yield (patterns, False) in chunks, and (None, True) whenever a count of them is reached."""
    have = start
    for count in counts:
        while have < count:
            size = min(chunk, count - have)
            yield random_spins(size, d, streams), False
            have += size
        yield None, True


def dense_capacity(config: DenseConfig, a: int, d: int, log2_theory: float) -> NDArray[np.float64]:
    """Measure bit errors at several numbers of patterns; return log2 N at the target error."""
    counts = [max(3, round(factor * 2**log2_theory)) for factor in config.factors]
    states = min(counts[0], config.states)
    draws = math.ceil(config.min_spins / (states * d))
    streams = _streams(config.seeds, draws, d)
    start = random_spins(states, d, streams)
    gap = dense.gaps(start, start, a)
    errors = []
    for patterns, reached in stream(counts, states, d, config.chunk, streams):
        if patterns is not None:
            gap = gap + dense.gaps(start, patterns, a)
        if reached:
            errors.append(dense.bit_error(start, gap).view(-1, draws).mean(1))
    rates = torch.stack(errors, dim=1).numpy()
    sizes = np.array(counts, float)
    return np.log2([dense.capacity_at(sizes, curve, config.bit_error) for curve in rates])


def exponential_capacity(
    config: ExponentialConfig, criterion: Criterion, d: int, log2_theory: float
) -> NDArray[np.float64]:
    """Measure what fraction is kept at several numbers of patterns; return log2 N at the target."""
    counts = [max(2, round(2 ** (log2_theory + offset))) for offset in criterion.offsets]
    measured = (
        [_whole_draws(config, criterion, d, count) for count in counts]
        if criterion.whole_draws
        else _states(config, criterion, d, counts)
    )
    fractions = torch.stack(measured, dim=1).numpy()
    return np.array([level_at(np.log2(counts), curve, criterion.retrieved) for curve in fractions])


def _whole_draws(config: ExponentialConfig, criterion: Criterion, d: int, count: int) -> Tensor:
    streams = _streams(config.seeds, criterion.samples, d, count)
    group = max(1, BLOCK_ELEMENTS // count**2)
    kept = []
    for first in range(0, len(streams), group):
        patterns = random_spins(count, d, streams[first : first + group])
        gaps = exponential.Gaps.of(patterns)
        for chunk in patterns.split(config.chunk, dim=1):
            gaps.add(chunk)
        kept.append(exponential.retrieved(patterns, gaps.value()).all(-1))
    return torch.cat(kept).double().view(len(config.seeds), -1).mean(1)


def _states(
    config: ExponentialConfig, criterion: Criterion, d: int, counts: Sequence[int]
) -> list[Tensor]:
    states = min(counts[0], criterion.samples)
    draws = math.ceil(criterion.samples / states)
    streams = _streams(config.seeds, draws, d)
    targets = random_spins(states, d, streams)
    flips = round(criterion.radius * d)
    flipped = torch.stack([torch.rand(states, d, generator=g) for g in streams]).argsort(-1) < flips
    gaps = exponential.Gaps.of(torch.where(flipped, -targets, targets))
    gaps.add(targets)
    fractions = []
    for patterns, reached in stream(counts, states, d, config.chunk, streams):
        if patterns is not None:
            gaps.add(patterns)
        if reached:
            kept = exponential.retrieved(targets, gaps.value()).double()
            fractions.append(kept.view(len(config.seeds), -1).mean(1))
    return fractions


def _streams(seeds: Sequence[int], draws: int, *purpose: int) -> list[torch.Generator]:
    # Every draw has its own stream; the draws of a seed stand together.
    word = int(np.random.SeedSequence(purpose).generate_state(1)[0])
    return [generators([seed], word ^ draw)[0] for seed in seeds for draw in range(draws)]


def level_at(x: NDArray[np.float64], falling: NDArray[np.float64], level: float) -> float:
    """Return where a falling curve first passes a level, interpolated between its points.

    Raises ValueError if it does not pass it between the first point and the last.
    """
    below = np.flatnonzero(falling < level)
    if not below.size or below[0] == 0:
        raise ValueError(
            f"the offsets must bracket the capacity: fractions {falling.round(3).tolist()} "
            f"do not pass {level}"
        )
    k = below[0]
    step = (falling[k - 1] - level) / (falling[k - 1] - falling[k])
    return float(x[k - 1] + step * (x[k] - x[k - 1]))


def exponents(
    dimensions: Sequence[int], log2_counts: NDArray[np.float64], *, power_law: bool
) -> NDArray[np.float64]:
    """Return each seed's slope of log2 N, [dimension, seed], against log2 d, or against d."""
    x = np.log2(dimensions) if power_law else np.array(dimensions, float)
    return np.polyfit(x, log2_counts, 1)[0]
