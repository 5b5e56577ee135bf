"""What is possible: predictors that know the physics' form but not its parameters."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.labs.oscillator.data.task import trajectories

Oracle = Literal["dmd", "likelihood"]
ORACLES: tuple[Oracle, ...] = ("dmd", "likelihood")


def dmd_propagator(
    window: Float[Tensor, "trajectory time 2"],
) -> Float[Tensor, "trajectory 2 2"]:
    """Fit one linear map K to each window, in context, by least squares.

    Dynamic mode decomposition (Schmid 2010): K minimises sum_t |X_{t+1} - K X_t|^2 over the window.
    Exact without noise, in float64 to rounding.
    """
    before, after = window[:, :-1], window[:, 1:]
    return torch.linalg.lstsq(before, after).solution.transpose(1, 2)


def dmd_rollout(
    window: Float[Tensor, "trajectory time 2"], steps: int
) -> Float[Tensor, "trajectory step 2"]:
    """Predict ``steps`` states after each window with its own fitted map."""
    k = dmd_propagator(window).transpose(1, 2)
    state, predicted = window[:, -1:], []
    for _ in range(steps):
        state = state @ k
        predicted.append(state)
    return torch.cat(predicted, dim=1)


def likely_frequency(
    window: Float[Tensor, "trajectory time 2"],
    gamma: Float[Tensor, " trajectory"],
    dt: float,
    bounds: tuple[float, float],
    *,
    grid: int = 301,
    rounds: int = 8,
) -> tuple[Float[Tensor, " trajectory"], Float[Tensor, "trajectory 2"]]:
    """Return the maximum-likelihood omega0 of each window and its first state, damping known.

    With Gaussian noise of one size on x and p the likelihood falls with the residual sum of
    squares. Given omega0 the window is linear in its first state, which least squares eliminates;
    omega0 is then searched on a grid over ``bounds`` (rad/s) that is refined ``rounds`` times by a
    factor of five around the best point.
    """
    low, high = (torch.full_like(gamma, bound) for bound in bounds)
    steps, count = window.shape[1], len(window)
    y = window.reshape(count, -1, 1)
    fractions = torch.linspace(0, 1, grid, dtype=window.dtype)
    for _ in range(rounds + 1):
        candidates = low[:, None] + (high - low)[:, None] * fractions
        design = _designs(candidates, gamma, dt, steps)
        q, _ = torch.linalg.qr(design)
        explained = (q.mT @ y[:, None]).square().sum((-1, -2))
        best = explained.argmax(1)
        omega0 = candidates.gather(1, best[:, None])[:, 0]
        half = (high - low) / 10
        low, high = (omega0 - half).clamp(min=bounds[0]), (omega0 + half).clamp(max=bounds[1])
        fractions = torch.linspace(0, 1, 21, dtype=window.dtype)
    design = _designs(omega0[:, None], gamma, dt, steps)[:, 0]
    return omega0, torch.linalg.lstsq(design, y).solution[:, :, 0]


def _designs(
    omega0: Float[Tensor, "trajectory candidate"],
    gamma: Float[Tensor, " trajectory"],
    dt: float,
    steps: int,
) -> Float[Tensor, "trajectory candidate row 2"]:
    """Return the matrices that take a first state to the window's states, for every candidate."""
    count, candidates = omega0.shape
    w, g = omega0.flatten(), gamma.repeat_interleave(candidates)
    columns = [
        trajectories(unit.expand(len(w), 2), w, g, dt, steps)
        for unit in torch.eye(2, dtype=omega0.dtype)
    ]
    return torch.stack(columns, dim=-1).reshape(count, candidates, 2 * steps, 2)


def likely_rollout(
    window: Float[Tensor, "trajectory time 2"],
    gamma: Float[Tensor, " trajectory"],
    dt: float,
    bounds: tuple[float, float],
    steps: int,
) -> Float[Tensor, "trajectory step 2"]:
    """Predict ``steps`` states after each window from its maximum-likelihood trajectory."""
    omega0, first = likely_frequency(window, gamma, dt, bounds)
    size = window.shape[1]
    return trajectories(first, omega0, gamma, dt, size + steps)[:, size:]
