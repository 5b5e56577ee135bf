"""Windows of states whose frequency, damping and age vary from trajectory to trajectory."""

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import AfterValidator, Field, model_validator
from torch import Tensor

from pipeline.bounds import Age, Count, Damping, Frequency, Real, Seed, refuse_large
from pipeline.config import Interval, Section, ordered
from pipeline.labs.oscillator.data.splits import Split, solved, streams
from pipeline.labs.oscillator.data.task import TaskConfig, advance, initial_in_box, refuse_decayed


class WindowDataConfig(Section):
    """Windows of states whose frequency, damping and age vary from trajectory to trajectory.

    A trajectory starts in the box and is seen from its ``age`` on (post 2: age 0, one damping).
    """

    omega0: Annotated[tuple[Frequency, Frequency], AfterValidator(ordered)]
    gamma: Annotated[tuple[Damping, Damping], AfterValidator(ordered)]
    age: Annotated[tuple[Age, Age], AfterValidator(ordered)]
    window: Annotated[int, Field(ge=2, le=4096)]
    initial_train: Interval
    initial_valid: Interval
    train: Count
    valid: Count
    test: Count
    test_steps: Count
    example_omega0: Frequency
    example_initial: tuple[Real, Real]
    seed: Seed

    @model_validator(mode="after")
    def _physical(self) -> "WindowDataConfig":
        refuse_decayed(self.gamma[1] * self.age[1])
        refuse_large("windows * (window + 1) * 2", max(self.train, self.valid), self.window + 1, 2)
        refuse_large(
            "test * (window + test_steps) * 2", self.test, self.window + self.test_steps, 2
        )
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
        sizes.items(), streams(config.seed, len(sizes)), strict=True
    ):
        omega0 = _uniform(count, config.omega0, stream)
        gamma = _uniform(count, config.gamma, stream)
        age = _uniform(count, config.age, stream)
        initial = advance(initial_in_box(count, box, stream), omega0, gamma, age)
        splits[name] = solved(initial, omega0, gamma, task.dt, steps)
    example = torch.tensor([config.example_initial], dtype=torch.float64)
    omega0 = torch.tensor([config.example_omega0], dtype=torch.float64)
    gamma = torch.full_like(omega0, sum(config.gamma) / 2)
    steps = config.window + config.test_steps
    splits["example"] = solved(example, omega0, gamma, task.dt, steps)
    return splits


def _uniform(count: int, bounds: tuple[float, float], stream: torch.Generator) -> Tensor:
    low, high = bounds
    return low + (high - low) * torch.rand(count, generator=stream, dtype=torch.float64)


@dataclass(frozen=True)
class HeldOut:
    """Windows of the test trajectories and the true states after them; the last is the example."""

    window: Float[Tensor, "trajectory window 2"]
    true: Float[Tensor, "trajectory step 2"]
    omega0: Float[Tensor, " trajectory"]
    gamma: Float[Tensor, " trajectory"]

    @property
    def steps(self) -> int:
        """Number of states after a window."""
        return self.true.shape[1]


def held_out(test: Split, example: Split, window: int) -> HeldOut:
    """Cut the test trajectories after ``window`` states, the example added as the last of them."""
    states = torch.cat([test.states, example.states])
    return HeldOut(
        states[:, :window],
        states[:, window:],
        torch.cat([test.omega0, example.omega0]),
        torch.cat([test.gamma, example.gamma]),
    )
