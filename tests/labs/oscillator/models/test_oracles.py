import pytest
import torch

from pipeline.labs.oscillator.data.task import propagator, trajectories
from pipeline.labs.oscillator.measure.errors import rollout_error
from pipeline.labs.oscillator.models.oracles import (
    dmd_propagator,
    dmd_rollout,
    likely_frequency,
    likely_rollout,
)

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


BOUNDS = (0.1, 10.0)
# The last grid's spacing: a range refined eight times by five, of 20 intervals.
RESOLUTION = (BOUNDS[1] - BOUNDS[0]) / (5**8 * 20)


def drawn(noise, count=64, gamma=0.1):
    """Return windows of varying frequency with noise, the true states after, their parameters."""
    generator = torch.Generator().manual_seed(1)
    omega0 = 1 + 3 * torch.rand(count, generator=generator, dtype=torch.float64)
    initial = torch.randn(count, 2, generator=generator, dtype=torch.float64)
    g = torch.full_like(omega0, gamma)
    states = trajectories(initial, omega0, g, 0.1, WINDOW + STEPS)
    window = states[:, :WINDOW]
    window = window + noise * torch.randn(window.shape, generator=generator, dtype=torch.float64)
    return window, states[:, WINDOW:], omega0, g, initial


@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.5])
def test_the_likelihood_finds_the_frequency_to_its_resolution_and_the_first_state(gamma):
    window, true, omega0, g, initial = drawn(0.0, gamma=gamma)
    found, first = likely_frequency(window, g, 0.1, BOUNDS)
    assert float((found - omega0).abs().max()) < RESOLUTION
    # A frequency wrong by this turns a window of 4 s, of states below 4 x 4, by as much.
    assert float((first - initial).abs().max()) < 4 * 16 * RESOLUTION
    rolled = likely_rollout(window, g, 0.1, BOUNDS, STEPS)
    assert rolled.shape == true.shape
    assert float((rolled - true).abs().max()) < 10 * 16 * RESOLUTION


def test_no_other_frequency_explains_a_noisy_window_better():
    window, _, _, g, _ = drawn(0.05, count=5)
    found, first = likely_frequency(window, g, 0.1, BOUNDS)

    def misfit(omega0):
        columns = [
            trajectories(unit.expand(5, 2), omega0, g, 0.1, WINDOW).flatten(1)
            for unit in torch.eye(2, dtype=torch.float64)
        ]
        design = torch.stack(columns, dim=-1)
        solved = torch.linalg.lstsq(design, window.flatten(1)[:, :, None]).solution
        return (design @ solved - window.flatten(1)[:, :, None]).square().sum((1, 2)), solved

    least, solved = misfit(found)
    torch.testing.assert_close(first, solved[:, :, 0], rtol=0, atol=1e-12)
    for other in torch.linspace(0.1, 10, 500, dtype=torch.float64):
        # At the optimum the misfit is flat: the resolution squared, and rounding.
        assert bool((misfit(torch.full_like(found, float(other)))[0] > least - 1e-12).all())


@pytest.mark.parametrize("noise", [1e-3, 1e-2])
def test_with_noise_the_likelihood_knows_more_than_least_squares_of_the_map(noise):
    window, true, _, g, _ = drawn(noise)
    likely = rollout_error(likely_rollout(window, g, 0.1, BOUNDS, STEPS)[None], true, STEPS)
    dmd = rollout_error(dmd_rollout(window, STEPS)[None], true, STEPS)
    assert float(likely) < float(dmd) / 2
    # The information in 80 values about a phase and a frequency: noise over 80^(1/2), times a few.
    assert float(likely) < 5 * noise


def test_a_frequency_outside_the_bounds_is_found_at_their_edge():
    window, _, omega0, g, _ = drawn(0.0, count=8)
    found, _ = likely_frequency(window, g, 0.1, (4.5, 5.0))
    assert float(omega0.max()) < 4.5
    assert bool(((found >= 4.5) & (found <= 5.0)).all())
