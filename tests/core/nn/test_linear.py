import itertools

import numpy as np
import pytest
import torch

from pipeline.core.nn.linear import (
    LinearWindow,
    LinearWindowConfig,
    fit_linear_window,
    normal_equation,
)
from pipeline.core.training.ensemble import TrainingConfig, train
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators

EPS = torch.finfo(torch.float64).eps
SAMPLES, FEATURES = 200, 6


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def features(condition):
    """Return features with singular values from 1 to 1 / condition."""
    left, _ = torch.linalg.qr(random(SAMPLES, FEATURES))
    right, _ = torch.linalg.qr(random(FEATURES, FEATURES, seed=1))
    values = torch.logspace(0, -np.log10(condition), FEATURES, dtype=torch.float64)
    return left * values @ right.T


def bound(condition, scale):
    """Bound the error of a solution of norm ``scale``: X^T X has the condition number squared.

    Forming it makes relative errors of about SAMPLES^(1/2) eps and its eigenvectors FEATURES eps;
    ten stands for the constants.
    """
    return 10 * (SAMPLES**0.5 + FEATURES) * EPS * condition**2 * scale


@pytest.mark.parametrize("condition", [1.0, 10.0, 1e3, 1e5])
def test_the_normal_equation_is_least_squares_within_its_conditioning(condition):
    x, y = features(condition), random(SAMPLES, 2, seed=2)
    expected = np.linalg.lstsq(x.numpy(), y.numpy(), rcond=None)[0]
    found = normal_equation(x, y)
    scale = float(np.linalg.norm(expected)) + float(y.norm())
    assert float((found - torch.from_numpy(expected)).norm()) < bound(condition, scale)


def test_the_residual_is_orthogonal_to_every_feature():
    x, y = features(10.0), random(SAMPLES, 3, seed=2)
    residual = y - x @ normal_equation(x, y)
    # X^T r vanishes up to the rounding of the solution: |X|^2 times its error, at most.
    assert float((x.T @ residual).abs().max()) < bound(10.0, float(y.norm()))
    assert float(residual.norm()) > 1, "there is something left to explain"


def test_no_other_coefficients_have_a_smaller_residual():
    x, y = features(10.0), random(SAMPLES, 1, seed=2)
    best = normal_equation(x, y)
    least = (y - x @ best).square().sum()
    for seed in range(3, 23):
        other = best + 1e-3 * random(FEATURES, 1, seed=seed)
        assert (y - x @ other).square().sum() > least


@pytest.mark.parametrize("copies", [2, 3])
def test_collinear_features_share_the_coefficient_of_least_norm(copies):
    x, y = features(10.0), random(SAMPLES, 2, seed=2)
    repeated = torch.cat([x] * copies, dim=1)
    found = normal_equation(repeated, y)
    once = normal_equation(x, y)
    tolerance = bound(10.0, float(once.norm()) + float(y.norm()))
    for part in found.split(FEATURES):
        assert float((part - once / copies).norm()) < tolerance
    # The Moore-Penrose solution, which has the least norm of all.
    expected = torch.linalg.pinv(repeated, rtol=1e-10) @ y
    assert float((found - expected).norm()) < tolerance


def test_a_feature_that_is_always_zero_gets_coefficient_zero():
    x = features(10.0)
    x[:, 2] = 0
    assert bool((normal_equation(x, random(SAMPLES, 1))[2].abs() < 1e-14).all())


def test_float32_data_is_solved_in_float64():
    x, y = features(10.0).float(), random(SAMPLES, 1, seed=2).float()
    found = normal_equation(x, y)
    assert found.dtype == torch.float64
    assert torch.equal(found, normal_equation(x.double(), y.double()))


def test_a_larger_cutoff_drops_directions_and_shrinks_the_solution():
    x, y = features(1e3), random(SAMPLES, 1, seed=2)
    norms = [float(normal_equation(x, y, cutoff).norm()) for cutoff in (1e-14, 1e-5, 1e-3, 1e-1)]
    assert all(a > b for a, b in itertools.pairwise(norms))
    # Singular values 10^(-3k/5): their squares above 1e-3 are those of k = 0, 1, 2.
    left, values, right = torch.linalg.svd(x, full_matrices=False)
    kept = right[:3].T @ ((left[:, :3].T @ y) / values[:3, None])
    found = normal_equation(x, y, 1e-3)
    assert float((found - kept).norm()) < bound(10**1.2, float(y.norm()) + float(kept.norm())) * 1e3


WINDOW, D_IN, D_OUT, MEMBERS = 4, 2, 3, 2


def law():
    """Return windows, exact targets of a linear law a member, and its coefficients."""
    windows = random(SAMPLES, WINDOW, D_IN)
    weights = random(MEMBERS, WINDOW * D_IN, D_OUT, seed=1)
    constant = random(MEMBERS, D_OUT, seed=2)
    return windows, windows.flatten(1) @ weights + constant[:, None], weights, constant


@torch.no_grad()
def test_a_linear_law_is_recovered_exactly():
    windows, targets, weights, constant = law()
    model = fit_linear_window(windows, targets)
    design = torch.cat([windows.flatten(1), torch.ones(SAMPLES, 1)], dim=1)
    condition = float(torch.linalg.cond(design))
    tolerance = bound(condition, float(weights.norm() + constant.norm()))
    assert float((model.map.W - weights).norm()) < tolerance < 1e-10
    assert float((model.map.b - constant).norm()) < tolerance
    predicted = model(windows.expand(MEMBERS, -1, -1, -1))
    assert predicted.shape == (MEMBERS, SAMPLES, 1, D_OUT)
    assert float((predicted[:, :, 0] - targets).norm()) < SAMPLES * tolerance


def test_members_fitted_together_are_members_fitted_alone():
    windows, targets, *_ = law()
    together = fit_linear_window(windows, targets)
    for k in range(MEMBERS):
        alone = fit_linear_window(windows, targets[k : k + 1])
        torch.testing.assert_close(together.map.W[k], alone.map.W[0], rtol=0, atol=1e-12)
        torch.testing.assert_close(together.map.b[k], alone.map.b[0], rtol=0, atol=1e-12)


def test_gradient_descent_approaches_the_law_at_the_rate_that_theory_gives():
    windows, targets, weights, constant = law()
    config = LinearWindowConfig(window=WINDOW, d_in=D_IN, d_out=D_OUT)
    rate, steps = 0.2, 150
    optimizer = OptimizerConfig(
        name="SGD", learning_rate=rate, options={}, schedule="constant", final_fraction=1.0,
        warmup_steps=0,
    )  # fmt: skip
    training = TrainingConfig(
        steps=steps, batch_size=SAMPLES, optimizer=optimizer, clip_norm=None, dtype="float64",
        record_every=steps,
    )  # fmt: skip
    model = LinearWindow(config, generators(range(MEMBERS))).double()
    begin = joined(model) - torch.cat([weights, constant[:, None]], dim=1)
    batch = windows.expand(MEMBERS, -1, -1, -1)
    train(
        model,
        lambda m, x: (m(x)[:, :, 0] - targets).square().sum(-1).mean(1),
        itertools.repeat(batch),
        training,
    )
    end = joined(model) - torch.cat([weights, constant[:, None]], dim=1)
    # The error obeys e -> (1 - 2 rate H) e with the Hessian's H = X^T X / n.
    design = torch.cat([windows.flatten(1), torch.ones(SAMPLES, 1)], dim=1)
    hessian = design.T @ design / SAMPLES
    shrink = torch.linalg.matrix_power(torch.eye(len(hessian)) - 2 * rate * hessian, steps)
    # A contraction amplifies no rounding: 150 steps of sums of 200 products below 10.
    torch.testing.assert_close(end, shrink @ begin, rtol=0, atol=150 * 200 * 10 * EPS)
    assert float(end.norm()) < 1e-6 * float(begin.norm())


def joined(model):
    return torch.cat([model.map.W, model.map.b[:, None]], dim=1).detach()


def test_a_linear_window_predicts_its_last_position_only():
    windows, targets, *_ = law()
    with pytest.raises(ValueError, match="predicts its last position only"):
        fit_linear_window(windows, targets)(windows[None].expand(2, -1, -1, -1), last_only=False)
