"""The AND of s hidden positions among T bits; with a query the last bit picks one of two sets.

A bit is 1 with probability p, so a label is 1 with probability p^s: labels are balanced if
p = 0.5^(1/s), whatever s. Source: Neuromatch NeuroAI, week 1 day 5, tutorial 3 (``s_Sparse_AND``,
``s_Sparse_AND_Query``), whose p stays at one value while s varies.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.bounds import Count, Size
from pipeline.config import ConfigError, Section

Bits = Float[Tensor, "*member sample position"]
Labels = Float[Tensor, "*member sample"]
Targets = Int[Tensor, "*member rule target"]


class DatasetError(ConfigError):
    """No data set as asked can be drawn; the message is one line for the user."""


class TaskConfig(Section):
    """Which data: T ``positions`` (the rule bit among them), s ``targets`` in each set.

    ``function``: *sparse_and*, the AND of the one set of targets, or *sparse_and_query*, of the set
    that the last bit, the rule, picks of two.
    ``p`` is the probability of a 1 (null: 0.5^(1/s), which balances the labels).
    ``tolerance`` is the largest accepted |fraction of label 1 - 1/2| of a data set (null: any);
    ``identifiable`` asks that no other position agree with a target on all samples where its rule
    holds. A data set is drawn at most ``max_draws`` times.
    """

    function: Literal["sparse_and", "sparse_and_query"]
    positions: Size
    targets: Size
    p: Annotated[float, Field(gt=0, lt=1)] | None
    tolerance: Annotated[float, Field(gt=0, le=0.5)] | None
    identifiable: bool
    max_draws: Count

    @model_validator(mode="after")
    def _fits(self) -> "TaskConfig":
        if self.targets > self.free_positions:
            raise ValueError(
                f"targets must be <= {self.free_positions} (the positions that carry bits), "
                f"got {self.targets}"
            )
        if self.rules * self.targets > self.free_positions:
            raise ValueError(
                f"two disjoint sets of {self.targets} targets do not fit into "
                f"{self.free_positions} positions beside the rule bit; "
                f"targets must be <= {self.free_positions // 2}"
            )
        return self

    @property
    def rules(self) -> int:
        """Number of sets of targets: 2 with a rule bit."""
        return 2 if self.function == "sparse_and_query" else 1

    @property
    def free_positions(self) -> int:
        """Number of positions that can be targets: all but the rule bit."""
        return self.positions - (self.function == "sparse_and_query")

    @property
    def probability(self) -> float:
        """P(bit = 1); the rule bit is 1 with probability 1/2."""
        return 0.5 ** (1 / self.targets) if self.p is None else self.p

    @property
    def positive_fraction(self) -> float:
        """P(label = 1) = p^s."""
        return self.probability**self.targets


def draw_targets(task: TaskConfig, generator: torch.Generator) -> Targets:
    """Draw the hidden sets of positions, disjoint, uniformly; each sorted [rule, target]."""
    order = torch.randperm(task.free_positions, generator=generator)
    return order[: task.rules * task.targets].view(task.rules, -1).sort(-1).values


def draw_bits(task: TaskConfig, count: int, generator: torch.Generator) -> Bits:
    """Draw sequences of bits [sample, position]; with a query the last is the rule."""
    bits = torch.rand(count, task.free_positions, generator=generator) < task.probability
    if task.function == "sparse_and_query":
        rule = torch.randint(0, 2, (count, 1), generator=generator).bool()
        bits = torch.cat([bits, rule], dim=1)
    return bits.to(torch.float64)


def label(bits: Bits, targets: Targets) -> Labels:
    """Return 1 where all targets of the sequence's rule are 1, else 0."""
    sets = targets.flatten(-2)
    index = sets[..., None, :].expand(*bits.shape[:-1], -1)
    both = bits.gather(-1, index).unflatten(-1, targets.shape[-2:]).amin(-1)
    if targets.shape[-2] == 1:
        return both[..., 0]
    return torch.where(bits[..., -1] == 1, both[..., 1], both[..., 0])


def is_balanced(task: TaskConfig, labels: Float[Tensor, " sample"]) -> bool:
    """Whether the fraction of label 1 is as near to 1/2 as asked."""
    return task.tolerance is None or abs(float(labels.mean()) - 0.5) <= task.tolerance + 1e-12


def is_identifiable(
    task: TaskConfig, bits: Float[Tensor, "sample position"], targets: Int[Tensor, "rule target"]
) -> bool:
    """Whether no other free position equals a target on all samples where its rule holds."""
    free = bits[:, : task.free_positions]
    return all(
        not bool((_agree(free[_holds(task, bits, rule)], chosen) & ~_among(free, chosen)).any())
        for rule, chosen in enumerate(targets)
    )


def _holds(task: TaskConfig, bits: Tensor, rule: int) -> Bool[Tensor, " sample"]:
    if task.function == "sparse_and_query":
        return bits[:, -1] == rule
    return torch.ones(len(bits), dtype=torch.bool)


def _agree(bits: Tensor, chosen: Tensor) -> Bool[Tensor, "target position"]:
    return (bits[:, chosen, None] == bits[:, None]).all(0)


def _among(bits: Tensor, chosen: Tensor) -> Bool[Tensor, " position"]:
    mask = torch.zeros(bits.shape[1], dtype=torch.bool)
    mask[chosen] = True
    return mask


def draw_sample(
    task: TaskConfig, count: int, targets: Int[Tensor, "rule target"], generator: torch.Generator
) -> Float[Tensor, "sample position"]:
    """Draw one data set for given targets, balanced and identifiable as the task asks.

    Raises DatasetError if none of ``task.max_draws`` draws is.
    """
    fractions: list[float] = []
    for _ in range(task.max_draws):
        bits = draw_bits(task, count, generator)
        labels = label(bits, targets)
        fractions.append(float(labels.mean()))
        if not is_balanced(task, labels):
            continue
        if not task.identifiable or is_identifiable(task, bits, targets):
            return bits
    mean = sum(fractions) / len(fractions)
    raise DatasetError(
        f"no data set of {count} samples with {task.targets} targets among {task.positions} "
        f"positions at p = {task.probability:.4g} is {_asked(task)} in {task.max_draws} draws: "
        f"its labels are 1 in {mean:.3f} of cases (p^s = {task.positive_fraction:.3f})"
    )


def _asked(task: TaskConfig) -> str:
    asked = [f"balanced within {task.tolerance:g}"] if task.tolerance is not None else []
    return " and ".join([*asked, *(["identifiable"] if task.identifiable else [])])


def draw_samples(
    task: TaskConfig, count: int, targets: Targets, generators: Sequence[torch.Generator]
) -> Float[Tensor, "member sample position"]:
    """Draw a data set for each member; DatasetError as :func:`draw_sample`."""
    pairs = zip(targets, generators, strict=True)
    return torch.stack([draw_sample(task, count, chosen, stream) for chosen, stream in pairs])
