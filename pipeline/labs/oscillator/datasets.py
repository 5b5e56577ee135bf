"""The data sets of the lab: training, validation beyond the training energies, test rollouts."""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import AfterValidator, Field, model_validator
from torch import Tensor

from pipeline.config import Interval, Range, Section, distinct
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.task import (
    TaskConfig,
    advance,
    initial_by_energy,
    initial_in_box,
    trajectories,
)

Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
Split = dict[str, Tensor]
# What each split's file holds: float64 arrays, one trajectory a row.
SCHEMA = {
    "states": "float64 trajectory time 2",
    "omega0": "float64 trajectory",
    "gamma": "float64 trajectory",
}


class FixedDataConfig(Section):
    """O3: one frequency, a few dampings; pairs of successive states (post 3)."""

    omega0: Positive
    gammas: Annotated[
        tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1), AfterValidator(distinct)
    ]
    energy_train: Positive
    energy_valid: Positive
    train: Count
    test: Count
    test_steps: Count
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _physical(self) -> "FixedDataConfig":
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


class WindowDataConfig(Section):
    """Windows of states whose frequency, damping and age vary from trajectory to trajectory.

    A trajectory starts in the box and is seen from its ``age`` on (post 2: age 0, one damping).
    """

    omega0: Range
    gamma: Range
    age: Range
    window: Annotated[int, Field(ge=2)]
    initial_train: Interval
    initial_valid: Interval
    train: Count
    valid: Count
    test: Count
    test_steps: Count
    example_omega0: Positive
    example_initial: tuple[float, float]
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _physical(self) -> "WindowDataConfig":
        if self.gamma[0] < 0 or self.age[0] < 0:
            raise ValueError(f"gamma and age must be >= 0, got {self.gamma[0]:g}, {self.age[0]:g}")
        if self.omega0[0] <= self.gamma[1]:
            raise ValueError(
                f"gamma must be < omega0 = {self.omega0[0]:g} (under-damped), got {self.gamma[1]:g}"
            )
        if self.example_omega0 <= self.gamma[1]:
            raise ValueError(
                f"example_omega0 must be > gamma = {self.gamma[1]:g}, got {self.example_omega0:g}"
            )
        if self.initial_valid[0] < max(map(abs, self.initial_train)):
            raise ValueError(
                "initial_valid must lie above initial_train in magnitude, so that its energies do, "
                f"got {list(self.initial_valid)} and {list(self.initial_train)}"
            )
        return self


def split(initial: Tensor, omega0: Tensor, gamma: Tensor, dt: float, steps: int) -> Split:
    """Solve from the initial states; return states [trajectory, time, 2] and their parameters."""
    states = trajectories(initial, omega0, gamma, dt, steps)
    return {"states": states, "omega0": omega0, "gamma": gamma}


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
        sizes.items(), _streams(config.seed, len(sizes)), strict=True
    ):
        gamma = torch.tensor(config.gammas, dtype=torch.float64).repeat_interleave(count)
        omega0 = torch.full_like(gamma, config.omega0)
        initial = initial_by_energy(energies, omega0, stream)
        splits[name] = split(initial, omega0, gamma, task.dt, steps + 1)
    return splits


def windows(task: TaskConfig, config: WindowDataConfig) -> dict[str, Split]:
    """Make the splits of an experiment on windows.

    ``train`` and ``valid`` hold windows and the state after them; at age 0 every energy of the
    latter lies beyond those of the former at the same omega0. ``test`` holds windows and test_steps
    more states, ``example`` the one trajectory that the figures show.
    """
    sizes = {
        "train": (config.train, config.window + 1, config.initial_train),
        "valid": (config.valid, config.window + 1, config.initial_valid),
        "test": (config.test, config.window + config.test_steps, config.initial_train),
    }
    splits = {}
    for (name, (count, steps, box)), stream in zip(
        sizes.items(), _streams(config.seed, len(sizes)), strict=True
    ):
        omega0 = _uniform(count, config.omega0, stream)
        gamma = _uniform(count, config.gamma, stream)
        age = _uniform(count, config.age, stream)
        initial = advance(initial_in_box(count, box, stream), omega0, gamma, age)
        splits[name] = split(initial, omega0, gamma, task.dt, steps)
    example = torch.tensor([config.example_initial], dtype=torch.float64)
    omega0 = torch.tensor([config.example_omega0], dtype=torch.float64)
    gamma = torch.full_like(omega0, sum(config.gamma) / 2)
    steps = config.window + config.test_steps
    splits["example"] = split(example, omega0, gamma, task.dt, steps)
    return splits


def _uniform(count: int, bounds: tuple[float, float], stream: torch.Generator) -> Tensor:
    low, high = bounds
    return low + (high - low) * torch.rand(count, generator=stream, dtype=torch.float64)


def _streams(seed: int, count: int) -> list[torch.Generator]:
    return [generators([seed], purpose)[0] for purpose in range(count)]


def by_gamma(data: Split, key: str = "states") -> dict[str, Float[Tensor, "trajectory *axes"]]:
    """Return the states (or another array) of each damping, named ``gamma_0.1``, in their order."""
    gammas = torch.unique_consecutive(data["gamma"])
    return {f"gamma_{gamma:g}": data[key][data["gamma"] == gamma] for gamma in gammas.tolist()}
