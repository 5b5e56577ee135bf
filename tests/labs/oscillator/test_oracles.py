import pytest
import torch

from pipeline.labs.oscillator.oracles import dmd_propagator, dmd_rollout
from pipeline.labs.oscillator.task import propagator, trajectories

EPS = torch.finfo(torch.float64).eps
WINDOW, STEPS = 40, 60
REGIMES = {"free": 0.0, "under": 0.1, "critical": 2.0, "over": 2.5}
each_regime = pytest.mark.parametrize("gamma", REGIMES.values(), ids=list(REGIMES))


def windows(gamma, steps=WINDOW + STEPS):
    initial = torch.tensor([[0.8, 0.6], [-0.3, 1.1], [1.0, 0.0]], dtype=torch.float64)
    w, g = (torch.full((3,), value, dtype=torch.float64) for value in (2.0, gamma))
    return trajectories(initial, w, g, 0.1, steps), propagator(w, g, 0.1)


def tolerance(states):
    """Least squares is as exact as the window is well conditioned: eps times its condition."""
    return 10 * WINDOW**0.5 * EPS * float(torch.linalg.cond(states[:, : WINDOW - 1]).max())


@each_regime
def test_the_propagator_is_recovered_from_a_noise_free_window(gamma):
    states, k = windows(gamma)
    found = dmd_propagator(states[:, :WINDOW])
    # An entry of the error may be as large as the propagator's norm, below 2, allows.
    torch.testing.assert_close(found, k, rtol=0, atol=2 * tolerance(states))


@each_regime
def test_rollouts_after_a_noise_free_window_are_exact(gamma):
    states, _ = windows(gamma)
    found = dmd_rollout(states[:, :WINDOW], STEPS)
    assert found.shape == (3, STEPS, 2)
    # Errors of one step add up; powers of the propagator have a norm of 4 at most.
    atol = STEPS * 4 * 2 * tolerance(states)
    torch.testing.assert_close(found, states[:, WINDOW:], rtol=0, atol=atol)


@each_regime
def test_a_rollout_is_the_powers_of_the_fitted_map(gamma):
    states, _ = windows(gamma)
    k = dmd_propagator(states[:, :WINDOW])
    found = dmd_rollout(states[:, :WINDOW], 7)
    for step in range(7):
        expected = torch.linalg.matrix_power(k, step + 1) @ states[:, WINDOW - 1, :, None]
        torch.testing.assert_close(found[:, step], expected[:, :, 0], rtol=0, atol=100 * EPS)


def test_with_noise_the_map_is_the_one_of_least_squares():
    states, _ = windows(0.1)
    noise = torch.randn(states.shape, generator=torch.Generator().manual_seed(0)).double()
    window = (states + 1e-2 * noise)[:, :WINDOW]
    k = dmd_propagator(window)
    residual = window[:, 1:] - window[:, :-1] @ k.mT
    # The normal equations of the fit: residuals are orthogonal to what they are predicted from.
    assert float((window[:, :-1].mT @ residual).abs().max()) < 1000 * WINDOW * EPS
    assert float(residual.abs().max()) > 1e-3
