"""The record of a data set: trajectories and the parameters that each obeys."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.data.task import trajectories


@dataclass(frozen=True)
class Split:
    """One part of a data set, a trajectory a row: (x, p), omega0 in rad/s and gamma in 1/s."""

    states: Float64[Tensor, "trajectory time 2"]
    omega0: Float64[Tensor, " trajectory"]
    gamma: Float64[Tensor, " trajectory"]


def solved(
    initial: Float[Tensor, "trajectory 2"],
    omega0: Float[Tensor, " trajectory"],
    gamma: Float[Tensor, " trajectory"],
    dt: float,
    steps: int,
) -> Split:
    """Solve from the initial states: ``steps`` states of each trajectory, the first included."""
    return Split(trajectories(initial, omega0, gamma, dt, steps), omega0, gamma)


def streams(seed: int, count: int) -> list[torch.Generator]:
    """Return a generator for each part, so that none depends on the size of another."""
    return [generators([seed], purpose)[0] for purpose in range(count)]
