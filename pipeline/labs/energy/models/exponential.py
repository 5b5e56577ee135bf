"""E3: exponential interaction, E = -sum exp(x.xi) (Demircigil et al. 2017).

The gap of a spin (see :mod:`dense`) is 2 sinh(1) sum over patterns of exp(h - x_i xi_i) x_i, and
exp(-x_i xi_i) = cosh(1) - x_i xi_i sinh(1), so the update is attention with a correction that takes
a spin's own part out:
    xi_i <- sgn[(X softmax(X^T xi))_i - tanh(1) xi_i].
Patterns are streamed in chunks, d is subtracted in the exponent (h <= d), and sums are float64.

Two stored patterns at distance 1 have equal weights at the spin between them, which the others then
decide, alike for both: one of the two is unstable. With no others it is an exact tie, which counts
as an error.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from scipy.stats import binom
from torch import Tensor

from pipeline.labs.energy.data.patterns import require_spins

TANH_1 = math.tanh(1.0)
# What rounding leaves of an exact tie: gaps are of order 1 and float64 rounds them at 1e-16.
TIE = 1e-14


@dataclass
class Gaps:
    """The gaps of some states, while patterns stream past: X softmax(X^T xi) - tanh(1) xi."""

    states: Float[Tensor, "member state d"]
    weighted: Float[Tensor, "member state d"]
    total: Float[Tensor, "member state 1"]

    @classmethod
    def of(cls, states: Float[Tensor, "member state d"]) -> "Gaps":
        """Start with no pattern; ValueError for states that are not +-1."""
        require_spins(states, "states")
        weighted = torch.zeros(states.shape, dtype=torch.float64)
        return cls(states, weighted, torch.zeros_like(weighted[..., :1]))

    def add(self, patterns: Float[Tensor, "member chunk d"]) -> None:
        """Take a chunk of patterns in; ValueError if they are not +-1."""
        require_spins(patterns, "patterns")
        # Overlaps are whole numbers, exact in float32; exp wants float64 (e^-2d at d = 64).
        d = patterns.shape[-1]
        weight = (self.states @ patterns.mT - d).double().exp()
        self.weighted += weight @ patterns.double()
        self.total += weight.sum(-1, keepdim=True)

    def value(self) -> Float[Tensor, "member state d"]:
        """Return the gap of every spin; ValueError before any pattern was added."""
        if not bool((self.total > 0).all()):
            raise ValueError("the gaps of states need at least one pattern, got none")
        return self.weighted / self.total - TANH_1 * self.states.double()


def energy(
    states: Float[Tensor, "member state d"], patterns: Float[Tensor, "member pattern d"]
) -> Float[Tensor, "member state"]:
    """Return E = -sum over patterns of exp(x.xi)."""
    return -(states @ patterns.mT).exp().sum(-1)


def retrieved(
    targets: Float[Tensor, "member state d"], gap: Float[Tensor, "member state d"]
) -> Bool[Tensor, "member state"]:
    """Return whether one update puts every spin on its target's side, ties excluded."""
    return (targets * gap > TIE).all(-1)


def half_all_stable(d: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return N at which all patterns are stable in half of the draws, in theory.

    What fails first is a pair at distance 1, of which N^2 d 2^-d / 2 are expected: a Poisson number
    that is zero with probability 1/2. The slope of log2 N tends to 1/2 as d grows.
    """
    return np.sqrt(2 * np.log(2) * 2.0**d / d)


def fraction_stable(d: NDArray[np.float64], stable: float) -> NDArray[np.float64]:
    """Return N at which a fraction ``stable`` of the patterns is stable, by pairs at distance 1.

    A pattern has Poisson(N d 2^-d) neighbours at distance 1 and survives each with probability 1/2.
    """
    return -2 * np.log(stable) * 2.0**d / d


def half_retrieved(d: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """Return N at which a state ``radius`` d from its pattern is lost in half of the cases.

    It is lost when another pattern is as near: the exponent is 1 - H2(radius), Shannon's entropy in
    bits. Here the exact number of the nearest, N P(Binomial(d, 1/2) <= radius d) = log 2.
    """
    return np.log(2) / binom.cdf(np.round(radius * d), d, 0.5)
