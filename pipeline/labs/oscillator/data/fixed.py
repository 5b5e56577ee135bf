"""O3: pairs of successive states at one frequency, and trajectories of higher energy (post 3)."""

from typing import Annotated

import torch
from pydantic import AfterValidator, Field, model_validator

from pipeline.bounds import Count, Damping, Frequency, Positive, Seed, refuse_large
from pipeline.config import Section, distinct
from pipeline.labs.oscillator.data.splits import Split, solved, streams
from pipeline.labs.oscillator.data.task import TaskConfig, initial_by_energy


class FixedDataConfig(Section):
    """O3: one frequency, a few dampings; pairs of successive states (post 3)."""

    omega0: Frequency
    gammas: Annotated[tuple[Damping, ...], Field(min_length=1), AfterValidator(distinct)]
    energy_train: Positive
    energy_valid: Positive
    train: Count
    test: Count
    test_steps: Count
    seed: Seed

    @model_validator(mode="after")
    def _physical(self) -> "FixedDataConfig":
        refuse_large("test * test_steps * 2", self.test, self.test_steps, 2)
        if max(self.gammas) >= self.omega0:
            raise ValueError(
                f"gammas must be < omega0 = {self.omega0:g} (under-damped), "
                f"got {max(self.gammas):g}"
            )
        if self.energy_valid <= self.energy_train:
            raise ValueError(
                f"energy_valid must be > energy_train = {self.energy_train:g}, "
                f"got {self.energy_valid:g}"
            )
        return self


def fixed(task: TaskConfig, config: FixedDataConfig) -> dict[str, Split]:
    """Make O3's splits, all gammas along the trajectory axis in blocks of equal size.

    ``fixed_train`` holds pairs with energies in [0, energy_train]; ``fixed_test`` trajectories of
    1 + test_steps states with energies in [energy_train, energy_valid].
    """
    sizes = {
        "fixed_train": (config.train, 1, (0.0, config.energy_train)),
        "fixed_test": (config.test, config.test_steps, (config.energy_train, config.energy_valid)),
    }  # fmt: skip
    splits = {}
    for (name, (count, steps, energies)), stream in zip(
        sizes.items(), streams(config.seed, len(sizes)), strict=True
    ):
        gamma = torch.tensor(config.gammas, dtype=torch.float64).repeat_interleave(count)
        omega0 = torch.full_like(gamma, config.omega0)
        initial = initial_by_energy(energies, omega0, stream)
        splits[name] = solved(initial, omega0, gamma, task.dt, steps + 1)
    return splits


def by_gamma(split: Split) -> dict[str, Split]:
    """Return the trajectories of each damping, named ``gamma_0.1``, in their order."""
    parts = {}
    for gamma in torch.unique_consecutive(split.gamma).tolist():
        chosen = split.gamma == gamma
        parts[f"gamma_{gamma:g}"] = Split(
            split.states[chosen], split.omega0[chosen], split.gamma[chosen]
        )
    return parts
