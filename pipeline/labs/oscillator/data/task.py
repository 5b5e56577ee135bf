"""The damped harmonic oscillator x'' + 2 gamma x' + omega0^2 x = 0, m = 1, state (x, p = x').

Exact solutions in closed form for under-, critically and over-damped motion; initial conditions by
range or by energy. Units: omega0 in rad/s, gamma in 1/s, t in s; energy per unit mass.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.bounds import Duration
from pipeline.config import Section

State = Float[Tensor, "trajectory 2"]
Trajectories = Float[Tensor, "trajectory time 2"]

LARGEST_DECAY = 30.0  # gamma t: e^-30 of a state is float64's rounding of what it was


class TaskConfig(Section):
    """What all experiments of the lab share."""

    dt: Duration


def refuse_decayed(decay: float) -> None:
    """Raise ValueError if windows begin when nothing is left of the motion."""
    if decay > LARGEST_DECAY:
        raise ValueError(
            f"gamma * age must be <= {LARGEST_DECAY:g}, or nothing is left to learn from, got "
            f"{decay:g}"
        )


def basis(
    omega0: Float[Tensor, " trajectory"],
    gamma: Float[Tensor, " trajectory"],
    t: Float[Tensor, "#trajectory"],
) -> tuple[Float[Tensor, " trajectory"], Float[Tensor, " trajectory"]]:
    """Return C = e^{-gamma t} cos(omega t) and S = e^{-gamma t} sin(omega t) / omega at time t.

    omega^2 = omega0^2 - gamma^2; where it is negative they are the hyperbolic functions of the
    over-damped motion, where it is zero 1 and t times e^{-gamma t}.
    """
    square = omega0**2 - gamma**2
    rate = square.abs().sqrt()
    decay = torch.exp(-gamma * t)
    phase = rate * t
    under_c, under_s = decay * torch.cos(phase), decay * t * torch.sinc(phase / torch.pi)
    # Growing and decaying exponentials joined before they can overflow.
    slow, fast = torch.exp((rate - gamma) * t), torch.exp(-(rate + gamma) * t)
    safe = torch.where(rate > 0, rate, torch.ones_like(rate))
    over_s = fast * torch.expm1(2 * safe * t) / (2 * safe)
    # exp(2 rate t) itself overflows late in strongly damped motion, where fast is negligible.
    over_s = torch.where(phase > 100, slow / (2 * safe), over_s)
    over = square < 0
    return torch.where(over, (slow + fast) / 2, under_c), torch.where(over, over_s, under_s)


def propagator(
    omega0: Float[Tensor, " trajectory"],
    gamma: Float[Tensor, " trajectory"],
    t: Float[Tensor, "#trajectory"] | float,
) -> Float[Tensor, "trajectory 2 2"]:
    """Return K(omega0, gamma, t), with state(s + t) = K state(s) (post 2, first equation).

    x = x0 C + (p0 + gamma x0) S and p = p0 C - (omega0^2 x0 + gamma p0) S, the study's update rule
    (post 3, "Data generation and training"). The post prints omega = sqrt(omega0^2 + gamma^2); the
    equation of motion gives the minus used here.
    """
    time = t if isinstance(t, Tensor) else torch.tensor([t], dtype=omega0.dtype)
    c, s = basis(omega0, gamma, time)
    entries = [c + gamma * s, s, -(omega0**2) * s, c - gamma * s]
    return torch.stack(entries, dim=-1).view(-1, 2, 2)


def advance(
    state: State,
    omega0: Float[Tensor, " trajectory"],
    gamma: Float[Tensor, " trajectory"],
    t: Float[Tensor, "#trajectory"],
) -> State:
    """Return the exact states a time t later, each trajectory its own."""
    return (propagator(omega0, gamma, t) @ state[:, :, None])[:, :, 0]


def trajectories(
    initial: State,
    omega0: Float[Tensor, " trajectory"],
    gamma: Float[Tensor, " trajectory"],
    dt: float,
    steps: int,
) -> Trajectories:
    """Return the exact states at t = 0, dt, ..., (steps - 1) dt.

    The known states are moved on as a whole by the exact propagator of their total time: n states
    become 2n. So log2(steps) propagators and roundings make a trajectory, instead of ``steps`` ones
    or of a cosine and an exponential for every state.
    """
    doublings = range((steps - 1).bit_length())
    times = torch.tensor([dt * 2**level for level in doublings], dtype=initial.dtype)
    n = len(initial)
    ks = propagator(
        omega0.repeat(len(times)), gamma.repeat(len(times)), times.repeat_interleave(n)
    ).view(-1, n, 4)
    # Time before trajectory, a plane for x and one for p: every pass runs along memory.
    planes = torch.empty(2, steps, n, dtype=initial.dtype)
    x, p = planes
    x[0], p[0] = initial.T
    for level in doublings:
        xx, xp, px, pp = ks[level].T.contiguous()
        known = 2**level
        count = min(known, steps - known)
        old, fresh = slice(0, count), slice(known, known + count)
        torch.mul(x[old], xx, out=x[fresh]).addcmul_(p[old], xp)
        torch.mul(x[old], px, out=p[fresh]).addcmul_(p[old], pp)
    return planes.permute(2, 1, 0)


def energy(
    states: Float[Tensor, "*axes 2"], omega0: Float[Tensor, "*axes"] | float
) -> Float[Tensor, "*axes"]:
    """Return E = (p^2 + omega0^2 x^2) / 2 (post 3, "Results")."""
    return (states[..., 1] ** 2 + (omega0 * states[..., 0]) ** 2) / 2


def initial_in_box(count: int, bounds: tuple[float, float], generator: torch.Generator) -> State:
    """Draw x0 and p0 independently and uniformly in [low, high] (float64)."""
    low, high = bounds
    drawn = torch.rand(count, 2, generator=generator, dtype=torch.float64)
    return low + (high - low) * drawn


def initial_by_energy(
    energies: tuple[float, float], omega0: Float[Tensor, " trajectory"], generator: torch.Generator
) -> State:
    """Draw states whose energy is uniform in [low, high] and whose phase is uniform (float64)."""
    low, high = energies
    drawn = torch.rand(omega0.numel(), 2, generator=generator, dtype=torch.float64)
    amplitude = (2 * (low + (high - low) * drawn[:, 0])).sqrt()
    angle = 2 * torch.pi * drawn[:, 1]
    return torch.stack([amplitude * angle.cos() / omega0, amplitude * angle.sin()], dim=-1)
