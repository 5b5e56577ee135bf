"""O2: where a state goes in a time t: triples (x0, p0, t), and trajectories to test on (post 4)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from pydantic import model_validator
from torch import Tensor

from pipeline.bounds import Count, Damping, Duration, Frequency, Seed
from pipeline.config import Interval, Section
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.data.splits import Split, solved
from pipeline.labs.oscillator.data.task import advance, initial_in_box


class TimeDataConfig(Section):
    """One oscillator: triples (x0, p0, t) and where they lead; test trajectories over all times."""

    omega0: Frequency
    gamma: Damping
    initial: Interval
    duration: Duration
    train: Count
    test: Count
    seed: Seed

    @model_validator(mode="after")
    def _underdamped(self) -> "TimeDataConfig":
        if self.gamma >= self.omega0:
            raise ValueError(
                f"gamma must be < omega0 = {self.omega0:g} (under-damped), got {self.gamma:g}"
            )
        return self


@dataclass(frozen=True)
class TimeTriples:
    """Training data: (x0, p0, t), t in s, and the state (x, p) at t."""

    inputs: Float64[Tensor, "sample 3"]
    targets: Float64[Tensor, "sample 2"]


def time_data(config: TimeDataConfig, dt: float) -> tuple[TimeTriples, Split]:
    """Return the training triples with their targets, and test trajectories of ``duration``."""
    train_stream, test_stream = (generators([config.seed], purpose)[0] for purpose in range(2))
    initial = initial_in_box(config.train, config.initial, train_stream)
    t = config.duration * torch.rand(config.train, generator=train_stream, dtype=torch.float64)
    omega0, gamma = torch.full_like(t, config.omega0), torch.full_like(t, config.gamma)
    triples = TimeTriples(
        torch.cat([initial, t[:, None]], dim=1), advance(initial, omega0, gamma, t)
    )
    start = initial_in_box(config.test, config.initial, test_stream)
    steps = round(config.duration / dt) + 1
    omega0, gamma = (
        torch.full((config.test,), value, dtype=torch.float64)
        for value in (config.omega0, config.gamma)
    )
    test = solved(start, omega0, gamma, dt, steps)
    return triples, test
