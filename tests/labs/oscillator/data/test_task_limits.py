"""The closed form at its limits: near critical damping, and late in strongly damped motion."""

import math

import mpmath
import pytest
import torch

from pipeline.labs.oscillator.data.task import basis

EPS = torch.finfo(torch.float64).eps


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("exponent", range(1, 17))
def test_critical_damping_is_approached_without_a_jump(exponent, sign):
    omega0, gamma = 2.0, 2.0 * (1 + sign * 10.0**-exponent)
    t = torch.linspace(0, 6, 61, dtype=torch.float64)
    w, g = torch.full_like(t, omega0), torch.full_like(t, gamma)
    c, s = basis(w, g, t)
    expected_c, expected_s = exact_basis(omega0, gamma, t.tolist())
    # C and S are smooth in omega^2, which is known to 4 EPS; their slopes in it are below t^2 / 2
    # e^(-gamma t) < 1, and cosh adds two numbers of size one.
    torch.testing.assert_close(c, expected_c, rtol=0, atol=20 * EPS)
    torch.testing.assert_close(s, expected_s, rtol=0, atol=20 * EPS)


def exact_basis(omega0, gamma, times):
    """Return C and S from the complex formula with 60 digits."""
    with mpmath.workdps(60):
        root = mpmath.sqrt(mpmath.mpf(omega0) ** 2 - mpmath.mpf(gamma) ** 2)
        c, s = [], []
        for t in map(mpmath.mpf, times):
            decay = mpmath.exp(-mpmath.mpf(gamma) * t)
            c.append(float(mpmath.re(decay * mpmath.cos(root * t))))
            s.append(float(mpmath.re(decay * (mpmath.sin(root * t) / root if root else t))))
    return numbers(*c), numbers(*s)


@pytest.mark.parametrize("t", [0.5, 4.9, 5.1, 40.0, 400.0, 1e4])
@pytest.mark.parametrize("gamma", [20.0, 100.0, 0.5001, 2.0])
def test_late_over_damped_motion_neither_overflows_nor_vanishes(gamma, t):
    c, s = basis(numbers(0.5), numbers(gamma), numbers(t))
    expected_c, expected_s = exact_basis(0.5, gamma, [t])
    # The slow rate, gamma - (gamma^2 - omega0^2)^(1/2), cancels: it is known to a few EPS gamma,
    # and near critical damping, where the root is small, to EPS gamma^2 / root.
    root = math.sqrt(gamma**2 - 0.25)
    relative = 10 * EPS * (1 + t * gamma * (1 + gamma / root))
    floor = 1e-300  # below it float64 loses digits
    torch.testing.assert_close(c, expected_c, rtol=relative, atol=floor)
    torch.testing.assert_close(s, expected_s, rtol=relative, atol=floor)
