"""E1: overlap of retrieval against load N / d, and the critical load, for the classical network."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import AfterValidator, Field, model_validator
from torch import Tensor

from pipeline.bounds import Count, Resamples, Seed
from pipeline.config import Section, distinct
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data.patterns import random_spins
from pipeline.labs.energy.models import classical

Dynamics = Literal["asynchronous", "synchronous"]
Load = Annotated[float, Field(gt=0, le=1)]
GROUP_ELEMENTS = 4_000_000  # of W in one computation: 16 MB of float32


class ClassicalConfig(Section):
    """Sizes, loads and how many independent draws of patterns.

    Near the transition (``critical_loads``) there are ``critical_draws`` for each size, elsewhere
    (``loads``) ``draws``. Each draw is entered at its first ``states`` patterns. A state counts as
    retrieved above the overlap ``retrieved_above``, half-way between the two phases.
    """

    sizes: Annotated[tuple[Annotated[int, Field(ge=16, le=8192)], ...], Field(min_length=2)]
    loads: Annotated[tuple[Load, ...], AfterValidator(distinct)]
    draws: Count
    critical_loads: Annotated[tuple[Load, ...], Field(min_length=2), AfterValidator(distinct)]
    critical_draws: tuple[Count, ...]
    states: Count
    compared_size: Annotated[int, Field(ge=16, le=8192)]
    max_sweeps: Count
    retrieved_above: Annotated[float, Field(gt=0.4, lt=0.95)]
    bootstrap: Resamples
    seed: Seed

    @model_validator(mode="after")
    def _fits(self) -> "ClassicalConfig":
        if len(self.critical_draws) != len(self.sizes):
            raise ValueError(
                f"critical_draws must give a number for each of the {len(self.sizes)} sizes, "
                f"got {len(self.critical_draws)}"
            )
        if list(self.sizes) != sorted(set(self.sizes)):
            raise ValueError(f"sizes must increase, got {list(self.sizes)}")
        if self.compared_size not in self.sizes:
            raise ValueError(f"compared_size must be one of sizes, got {self.compared_size}")
        if set(self.loads) & set(self.critical_loads):
            raise ValueError(
                "loads and critical_loads must not share a load, got "
                f"{sorted(set(self.loads) & set(self.critical_loads))}"
            )
        fewest = min((*self.loads, *self.critical_loads)) * self.sizes[0]
        if fewest < 2:
            raise ValueError(
                f"every load must store at least 2 patterns, got {fewest:.1f} at the smallest size"
            )
        return self


@dataclass(frozen=True, kw_only=True)
class OverlapCell:
    """Draws of patterns at one size and load, and the dynamics they are retrieved by."""

    d: int
    load: float
    dynamics: Dynamics
    diagonal: bool
    draws: tuple[int, ...]
    states: int
    max_sweeps: int

    @property
    def cost(self) -> float:
        """The flips of a state at most: spins that are wrong near the transition, a load each."""
        return self.d * self.load


def cells(config: ClassicalConfig) -> list[OverlapCell]:
    """List the cells of E1; draws are grouped to a bounded size of W."""

    def grouped(
        d: int, load: float, count: int, mode: tuple[Dynamics, bool]
    ) -> Iterator[OverlapCell]:
        size = max(1, GROUP_ELEMENTS // d**2)
        for start in range(0, count, size):
            yield OverlapCell(
                d=d, load=load, dynamics=mode[0], diagonal=mode[1],
                draws=tuple(range(config.seed + start, config.seed + min(start + size, count))),
                states=config.states, max_sweeps=config.max_sweeps,
            )  # fmt: skip

    listed: list[OverlapCell] = []
    for d, many in zip(config.sizes, config.critical_draws, strict=True):
        for load in config.critical_loads:
            listed += grouped(d, load, many, ("asynchronous", False))
        for load in config.loads:
            listed += grouped(d, load, config.draws, ("asynchronous", False))
    others: tuple[tuple[Dynamics, bool], ...] = (
        ("asynchronous", True), ("synchronous", False), ("synchronous", True))  # fmt: skip
    for load in (*config.critical_loads, *config.loads):
        for mode in others:
            listed += grouped(config.compared_size, load, config.draws, mode)
    return listed


def measure(cell: OverlapCell) -> dict[str, Float[Tensor, "draw state"]]:
    """Store the patterns, retrieve, and return what came of every state of every draw.

    ``overlap``; ``uphill`` and ``two_cycle`` (0 or 1); ``steps`` (flips if asynchronous).
    """
    streams = generators(cell.draws, purpose=cell.d)
    patterns = random_spins(max(2, round(cell.load * cell.d)), cell.d, streams)
    W = classical.weights(patterns, diagonal=cell.diagonal)
    start = patterns[:, : cell.states]
    if cell.dynamics == "asynchronous":
        order = torch.stack([torch.rand(start.shape[1:], generator=g) for g in streams])
        final = classical.converge_asynchronous(start, W, order, cell.max_sweeps * cell.d)
    else:
        final = classical.converge_synchronous(start, W, cell.max_sweeps)
    return {
        "overlap": classical.overlap(final.states, start).double(),
        "uphill": final.uphill.double(),
        "two_cycle": final.two_cycle.double(),
        "steps": final.steps.double(),
    }
