"""E2: dense associative memory, E = -sum F(x.xi) with F(x) = x^a (Krotov and Hopfield 2016).

A spin takes the sign that lowers the energy: of D_i = sum over patterns of F with xi_i = +1 minus F
with xi_i = -1 (their eq. 3). With h = x.xi and a spin's own part taken out, s = h - x_i xi_i,
    F(s + x_i) - F(s - x_i) = 2 x_i sum over odd k of C(a, k) s^(a-k)        (x_i = +-1),
and because x_i^2 = xi_i^2 = 1 the powers of s split into x_i A(h) - xi_i B(h): two matrix products
for all spins of all states, whole numbers that float64 holds exactly as long as they are below 2^53
and with a relative error of 1e-16 beyond.

With a = 2 this energy is twice the classical one without its diagonal, up to a constant (the essay
says it *recovers* it).
"""

from math import comb

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.special import factorial2
from scipy.stats import norm
from torch import Tensor

from pipeline.labs.energy.data.patterns import require_spins


def energy(
    states: Float[Tensor, "member state d"], patterns: Float[Tensor, "member pattern d"], a: int
) -> Float[Tensor, "member state"]:
    """Return E = -sum over patterns of (x.xi)^a."""
    return -(states @ patterns.mT).pow(a).sum(-1)


def coefficients(a: int) -> tuple[list[int], list[int]]:
    """Return the coefficients of A and B, from the power 0 of h upwards.

    Raises ValueError for a power below 2, which couples no spins.
    """
    if a < 2:
        raise ValueError(f"the power of the interaction must be at least 2, got {a}")
    A, B = [0] * a, [0] * a
    for k in range(1, a + 1, 2):
        for j in range(a - k + 1):
            term = 2 * comb(a, k) * comb(a - k, j)
            (B if j % 2 else A)[a - k - j] += term
    return A, B


def gaps(
    states: Float[Tensor, "member state d"], patterns: Float[Tensor, "member pattern d"], a: int
) -> Float[Tensor, "member state d"]:
    """Return D, the energy with xi_i = -1 minus that with xi_i = +1, for every spin (float64).

    A sum over patterns: chunks of patterns add up.
    """
    x, xi = patterns.double(), states.double()
    h = xi @ x.mT
    A, B = (_polynomial(values, h) for values in coefficients(a))
    return A @ x - xi * B.sum(-1, keepdim=True)


def _polynomial(values: list[int], h: Tensor) -> Tensor:
    result = torch.full_like(h, float(values[-1]))
    for value in values[-2::-1]:
        result = result * h + value
    return result


def bit_error(
    states: Float[Tensor, "member state d"], gap: Float[Tensor, "member state d"]
) -> Float[Tensor, " member"]:
    """Return the fraction of spins that one update does not keep; a tie counts as an error."""
    require_spins(states, "states")
    return (states * gap <= 0).double().mean((-1, -2))


def capacity_at(counts: NDArray[np.float64], errors: NDArray[np.float64], target: float) -> float:
    """Return the number of patterns at which the one-step bit error is ``target``.

    The field is Gaussian with signal-to-noise ratio z, error = P(normal > z), and 1/z^2 is linear
    in N - 1: a line through the counts at which some spins, but fewer than half, were wrong.
    Raises ValueError if there are fewer than two of those.
    """
    usable = (errors > 0) & (errors < 0.5)
    if usable.sum() < 2:
        raise ValueError(
            f"the capacity needs two numbers of patterns with errors below 1/2, got {errors}"
        )
    noise = norm.isf(errors[usable]) ** -2.0
    slope, level = np.polyfit(counts[usable] - 1, noise, 1)
    return float(1 + (norm.isf(target) ** -2.0 - level) / slope)


def theory(d: NDArray[np.float64], a: int, target: float) -> NDArray[np.float64]:
    """Return N at the bit error ``target`` for large d: N - 1 = d^(a-1) / (z^2 (2a-3)!!).

    Krotov and Hopfield 2016, eq. 6, solved for N.
    """
    double_factorial = factorial2(2 * a - 3, exact=True)
    return 1 + d ** (a - 1.0) / (norm.isf(target) ** 2 * double_factorial)
