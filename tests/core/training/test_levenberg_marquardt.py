import itertools

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.optimize import least_squares
from torch import nn

from pipeline.core.training import levenberg_marquardt
from pipeline.core.training.levenberg_marquardt import (
    LevenbergMarquardtConfig,
    lower_gram,
    minimise,
)

SAMPLES = 50


def config(iterations=1, damping=1e-3, chunk=64):
    return LevenbergMarquardtConfig(iterations=iterations, damping=damping, chunk=chunk)


class Affine(nn.Module):
    """y = W x + b."""

    def __init__(self):
        super().__init__()
        self.W = nn.Parameter(torch.zeros(2, 3, dtype=torch.float64))
        self.b = nn.Parameter(torch.zeros(2, dtype=torch.float64))

    def forward(self, x):
        return self.W @ x + self.b


def error(model, sample):
    x, y = sample
    return model(x) - y


def line(noise=0.1):
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(SAMPLES, n, generator=generator, dtype=torch.float64) for n in (3, 2))
    return x, x @ torch.tensor([[1.0, -2.0], [0.5, 3.0], [0.0, 1.0]]).double() + noise * y


def best(x, y):
    design = torch.cat([x, torch.ones(SAMPLES, 1)], dim=1).double()
    return torch.linalg.lstsq(design, y).solution.T


def distance(model, solution):
    return float((torch.cat([model.W, model.b[:, None]], dim=1) - solution).detach().norm())


def test_linear_least_squares_is_solved_in_one_step_but_for_the_damping():
    # The damped step leaves damping x (G + damping diag G)^-1 diag G of the way: G's diagonal over
    # its least eigenvalue is below ten for 50 normal samples of 3 features.
    x, y = line()
    model, solution = Affine(), best(x, y)
    for damping in (1e-3, 1e-6):
        model = Affine()
        minimise(model, error, (x, y), config(damping=damping))
        assert distance(model, solution) < 10 * damping * float(solution.norm())


def test_a_second_step_squares_what_the_damping_left():
    x, y = line()
    model, solution = Affine(), best(x, y)
    minimise(model, error, (x, y), config(iterations=2, damping=1e-5))
    assert distance(model, solution) < (10 * 1e-5) ** 2 * float(solution.norm())


def test_the_value_told_is_the_mean_over_samples_of_the_squared_residual():
    x, y = line()
    model = Affine()
    history = minimise(model, error, (x, y), config(iterations=3, chunk=7))
    assert len(history) == 4
    assert history[0] == pytest.approx(float(y.square().sum() / SAMPLES), rel=1e-13)
    with torch.no_grad():
        last = (x @ model.W.T + model.b - y).square().sum() / SAMPLES
    assert history[-1] == pytest.approx(float(last), rel=1e-13)


class Valley(nn.Module):
    """Rosenbrock's (1981) curved valley, from his starting point."""

    def __init__(self):
        super().__init__()
        self.at = nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))


def valley(model, sample):
    (weight,) = sample
    a, b = model.at
    return torch.stack([10 * (b - a**2), 1 - a]) * weight


def test_it_follows_a_curved_valley_to_its_end_and_never_rises():
    model = Valley()
    history = minimise(model, valley, (torch.ones(1).double(),), config(iterations=40))
    assert history[0] == pytest.approx(24.2)  # 100 (1 - 1.44)^2 + 2.2^2
    assert all(b <= a for a, b in itertools.pairwise(history))
    # Both residuals vanish at (1, 1); 1e-20 is the square of their rounding at unit scale and more.
    assert history[-1] < 1e-20
    assert model.at.tolist() == pytest.approx([1.0, 1.0], abs=1e-9)


def test_the_bent_step_goes_further_along_a_curved_valley(monkeypatch):
    samples, settings = (torch.ones(1).double(),), config(iterations=12)
    bent = minimise(Valley(), valley, samples, settings)
    monkeypatch.setattr(levenberg_marquardt, "LARGEST_BEND", 0.0)
    straight = minimise(Valley(), valley, samples, settings)
    assert bent[1] != straight[1]
    assert bent[-1] < 0.5 * straight[-1]


@pytest.mark.parametrize(("rows", "columns"), [(30, 8), (5, 11), (7, 2), (1, 1)])
def test_the_lower_triangle_of_the_gram_matrix_is_right(rows, columns):
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    # Sums of thirty products of normal numbers.
    torch.testing.assert_close(
        lower_gram(matrix).tril(), (matrix.T @ matrix).tril(), rtol=0, atol=1e-13
    )


class Decay(nn.Module):
    """y = amplitude exp(-rate t) + level."""

    def __init__(self, start):
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(start, dtype=torch.float64))

    def forward(self, t):
        amplitude, rate, level = self.theta
        return amplitude * torch.exp(-rate * t) + level


def decay(model, sample):
    t, y = sample
    return model(t) - y


@pytest.mark.parametrize("start", [[1.0, 1.0, 0.0], [3.0, 0.4, 1.0], [0.5, 3.0, -1.0]])
def test_the_minimum_is_scipys(start):
    generator = torch.Generator().manual_seed(3)
    t = torch.linspace(0, 5, SAMPLES, dtype=torch.float64)[:, None]
    y = 2 * torch.exp(-0.7 * t) + 0.3
    y = y + 0.05 * torch.randn(SAMPLES, 1, generator=generator, dtype=torch.float64)

    def residual(theta):
        amplitude, rate, level = theta
        return (amplitude * np.exp(-rate * t.numpy()) + level - y.numpy())[:, 0]

    # scipy's tolerances are relative; 1e-15 is as near as float64 tells.
    expected = least_squares(residual, start, jac="3-point", method="lm", ftol=1e-15, xtol=1e-15)
    model = Decay(start)
    history = minimise(model, decay, (t, y), config(iterations=60, chunk=8))
    assert history[-1] == pytest.approx(2 * expected.cost / SAMPLES, rel=1e-12)
    # Near a minimum the value is flat: theirs and ours are found to the root of 1e-15, times 10.
    assert model.theta.tolist() == pytest.approx(expected.x.tolist(), abs=3e-7)


def test_at_a_minimum_it_stays():
    model = Valley()
    with torch.no_grad():
        model.at.fill_(1.0)
    history = minimise(model, valley, (torch.ones(1).double(),), config(iterations=3))
    assert history == [0.0] * 4
    assert model.at.tolist() == [1.0, 1.0]


def test_a_parameter_that_nothing_depends_on_is_left_alone():
    model = Affine()
    model.unused = nn.Parameter(torch.ones(2, dtype=torch.float64))
    x, y = line()
    minimise(model, error, (x, y), config(iterations=2))
    assert model.unused.tolist() == [1.0, 1.0]
    assert distance(model, best(x, y)) < 1e-4


@pytest.mark.parametrize("chunk", [1, 7, 50, 1000])
def test_the_pieces_of_the_jacobian_change_nothing_but_rounding(chunk):
    x, y = line()
    model, whole = Affine(), Affine()
    found = minimise(model, error, (x, y), config(iterations=2, chunk=chunk))
    expected = minimise(whole, error, (x, y), config(iterations=2, chunk=SAMPLES))
    # Sums of fifty terms in another order, through a matrix of condition below ten.
    assert found == pytest.approx(expected, rel=50 * 10 * 2.2e-16)
    torch.testing.assert_close(model.W, whole.W, rtol=0, atol=3 * 50 * 10 * 2.2e-16)


def test_every_iteration_is_reported():
    seen = []
    minimise(Affine(), error, line(), config(iterations=3), lambda: seen.append(1))
    assert len(seen) == 3


@pytest.mark.parametrize("change", [{"iterations": 0}, {"damping": 0.0}, {"chunk": 0}])
def test_settings_out_of_range_are_refused(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        config(**change)
