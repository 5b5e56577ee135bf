import itertools
import math

import pytest
import torch

from pipeline.labs.oscillator.data.task import (
    advance,
    energy,
    initial_by_energy,
    initial_in_box,
    propagator,
    trajectories,
)

EPS = torch.finfo(torch.float64).eps
REGIMES = {
    "free": (2.0, 0.0),
    "under": (2.0, 0.1),
    "nearly critical from below": (2.0, 2.0 - 1e-9),
    "critical": (2.0, 2.0),
    "nearly critical from above": (2.0, 2.0 + 1e-9),
    "over": (2.0, 3.0),
    "strongly over": (0.5, 20.0),
}
each_regime = pytest.mark.parametrize(("omega0", "gamma"), REGIMES.values(), ids=list(REGIMES))


def numbers(*values):
    return torch.tensor(values, dtype=torch.float64)


def generator(omega0, gamma):
    """Return A of the equation of motion, state' = A state."""
    return numbers([0.0, 1.0], [-(omega0**2), -2 * gamma])


def run(omega0, gamma, dt, steps, initial=((0.8, 0.6), (-0.3, 1.1))):
    state = numbers(*initial)
    w, g = (torch.full((len(state),), value, dtype=torch.float64) for value in (omega0, gamma))
    return trajectories(state, w, g, dt, steps)


def scale(omega0, gamma):
    """Return the size of the numbers that are summed: those of A."""
    return 1 + omega0**2 + 2 * gamma


@each_regime
def test_the_propagator_solves_the_equation_of_motion(omega0, gamma):
    t = torch.linspace(0.05, 6, 40, dtype=torch.float64, requires_grad=True)
    w, g = (torch.full((40,), value, dtype=torch.float64) for value in (omega0, gamma))
    k = propagator(w, g, t)
    derivative = torch.stack(
        [
            torch.autograd.grad(k[:, i, j].sum(), t, retain_graph=True)[0]
            for i, j in itertools.product(range(2), range(2))
        ],
        dim=-1,
    ).view(-1, 2, 2)
    expected = generator(omega0, gamma) @ k.detach()
    # A few roundings of numbers of the size of A^2; the derivative of sinc cancels at its own
    # small argument rate x t, which loses 1 / (rate t) of them, and is taken by series below 1e-4.
    rate = math.sqrt(abs(omega0**2 - gamma**2))
    lost = 1 / max(rate * 0.05, 1e-4) if rate else 1
    tolerance = 20 * EPS * scale(omega0, gamma) ** 2 * lost
    torch.testing.assert_close(derivative, expected, rtol=0, atol=tolerance)


@each_regime
def test_after_no_time_nothing_has_changed(omega0, gamma):
    k = propagator(numbers(omega0), numbers(gamma), 0.0)
    assert torch.equal(k[0], torch.eye(2, dtype=torch.float64))


@each_regime
@pytest.mark.parametrize("t", [1e-6, 0.1, 1.0, 7.3])
def test_the_propagator_is_the_matrix_exponential(omega0, gamma, t):
    found = propagator(numbers(omega0), numbers(gamma), t)[0]
    a = generator(omega0, gamma) * t
    # Scaling and squaring loses |A t| roundings of the largest power that it squares.
    size = float(torch.linalg.matrix_norm(a, ord=2))
    torch.testing.assert_close(
        found, torch.linalg.matrix_exp(a), rtol=0, atol=50 * EPS * (1 + size) * scale(omega0, gamma)
    )


@each_regime
def test_moving_on_by_one_time_and_another_is_moving_on_by_their_sum(omega0, gamma):
    w, g = numbers(omega0), numbers(gamma)
    for first, second in ((0.1, 0.1), (0.3, 2.0), (1.7, 4.4)):
        split = propagator(w, g, second) @ propagator(w, g, first)
        whole = propagator(w, g, first + second)
        # Entries up to the size of A, two products; the times are known to EPS too.
        tolerance = 20 * EPS * scale(omega0, gamma) ** 2 * (1 + gamma)
        torch.testing.assert_close(split, whole, rtol=0, atol=tolerance)


@each_regime
def test_a_trajectory_is_stepped_by_the_propagator(omega0, gamma):
    states = run(omega0, gamma, 0.1, 200)
    assert states.shape == (2, 200, 2)
    k = propagator(numbers(omega0), numbers(gamma), 0.1)[0]
    tolerance = 100 * EPS * scale(omega0, gamma)
    torch.testing.assert_close(states[:, 1:], states[:, :-1] @ k.T, rtol=0, atol=tolerance)


@each_regime
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 64, 65, 241])
def test_a_trajectory_of_any_length_is_the_propagator_at_every_time(omega0, gamma, steps):
    states = run(omega0, gamma, 0.1, steps)
    assert states.shape == (2, steps, 2)
    t = 0.1 * torch.arange(steps, dtype=torch.float64)
    k = propagator(numbers(omega0).expand(steps), numbers(gamma).expand(steps), t)
    expected = torch.einsum("tij,nj->nti", k, states[:, 0])
    # Eight doublings; a time of 24 s known to EPS turns the phase by omega0 x 24 EPS.
    tolerance = EPS * (100 + 24 * scale(omega0, gamma)) * scale(omega0, gamma)
    torch.testing.assert_close(states, expected, rtol=0, atol=tolerance)


def test_trajectories_have_each_their_own_parameters():
    initial, w, g = numbers([1.0, 0.0], [0.5, -1.0]), numbers(1.0, 3.0), numbers(0.0, 4.0)
    together = trajectories(initial, w, g, 0.1, 50)
    for n in range(2):
        alone = trajectories(initial[n : n + 1], w[n : n + 1], g[n : n + 1], 0.1, 50)
        torch.testing.assert_close(together[n], alone[0], rtol=0, atol=10 * EPS)


def test_advancing_takes_each_trajectory_on_by_its_own_time():
    initial, w, g = numbers([1.0, 0.0], [0.5, -1.0]), numbers(1.0, 3.0), numbers(0.0, 0.2)
    states = trajectories(initial, w, g, 0.1, 50)
    found = advance(initial, w, g, numbers(0.7, 4.9))
    expected = torch.stack([states[0, 7], states[1, 49]])
    torch.testing.assert_close(found, expected, rtol=0, atol=100 * EPS)


def test_a_free_oscillator_keeps_its_energy():
    states = run(2.0, 0.0, 0.1, 2000)
    kept = energy(states, 2.0)
    # 11 doublings, each a rotation to a few EPS; and times of 200 s.
    torch.testing.assert_close(kept, kept[:, :1].expand_as(kept), rtol=500 * EPS, atol=0)


@pytest.mark.parametrize(
    ("omega0", "gamma"), [r for r in REGIMES.values() if r[1] > 0], ids=list(REGIMES)[1:]
)
def test_a_damped_oscillator_only_loses_energy(omega0, gamma):
    lost = -energy(run(omega0, gamma, 0.02, 400), omega0).diff(dim=1)
    assert bool((lost >= -100 * EPS * scale(omega0, gamma)).all())
    assert bool((lost.sum(1) > 0).all())


@pytest.mark.parametrize("gamma", [0.1, 2.0, 3.0])
def test_the_power_lost_is_two_gamma_p_squared(gamma):
    def error(steps):
        h = 4.0 / steps
        states = run(2.0, gamma, h, steps + 1)
        weights = torch.ones(steps + 1, dtype=torch.float64)
        weights[1:-1:2], weights[2:-1:2] = 4, 2
        work = (weights * 2 * gamma * states[:, :, 1] ** 2).sum(1) * h / 3
        kept = energy(states, 2.0)
        return (kept[:, 0] - kept[:, -1] - work).abs()

    coarse, fine = error(400), error(800)
    # Simpson's rule is of order four: half the step, a 16th of the error, and h^6 beside it.
    torch.testing.assert_close(coarse / fine, torch.full_like(coarse, 16.0), rtol=0.05, atol=0)
    # Its error is below T / 180 h^4 times the fourth derivative of p^2, whose rates are at most
    # 2 (gamma + omega0).
    greatest = 2 * gamma * float(run(2.0, gamma, 0.005, 801)[:, :, 1].square().max())
    assert float(fine.max()) < 4 / 180 * 0.005**4 * (2 * (gamma + 2)) ** 4 * greatest


def test_energy_is_that_of_the_definition():
    states = numbers([3.0, 0.0], [0.0, 3.0], [1.0, 2.0])
    assert energy(states, 2.0).tolist() == [18.0, 4.5, 4.0]
    assert energy(states, numbers(1.0, 1.0, 2.0)).tolist() == [4.5, 4.5, 4.0]


def test_initial_states_in_a_box_fill_it_uniformly():
    drawn = initial_in_box(4000, (-1.0, 3.0), torch.Generator().manual_seed(0))
    assert drawn.dtype == torch.float64
    assert bool(((drawn >= -1) & (drawn < 3)).all())
    # A uniform number has standard deviation 4 / 12^(1/2); five of that of the mean of 4000.
    assert float((drawn.mean(0) - 1).abs().max()) < 5 * 4 / 12**0.5 / 4000**0.5
    products = ((drawn[:, 0] - 1) * (drawn[:, 1] - 1)).mean()
    assert float(products.abs()) < 5 * 16 / 12 / 4000**0.5, "x0 and p0 are independent"


def test_initial_states_by_energy_have_uniform_energies_and_phases():
    omega0 = torch.linspace(1, 4, 4000, dtype=torch.float64)
    drawn = initial_by_energy((1.0, 4.0), omega0, torch.Generator().manual_seed(0))
    found = energy(drawn, omega0)
    assert bool(((found >= 1 - 10 * EPS) & (found <= 4 + 10 * EPS)).all())
    angle = torch.atan2(drawn[:, 1], drawn[:, 0] * omega0)
    for value, low, high in ((found, 1, 4), (angle, -math.pi, math.pi)):
        ordered = ((value - low) / (high - low)).sort().values
        grid = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000
        # Kolmogorov-Smirnov: the greatest distance exceeds 1.95 / n^(1/2) once in a thousand.
        assert float((ordered - grid).abs().max()) < 1.95 / 4000**0.5


@pytest.mark.parametrize("draw", [initial_in_box, initial_by_energy])
def test_initial_states_are_those_of_their_generator(draw):
    def drawn(seed):
        stream = torch.Generator().manual_seed(seed)
        if draw is initial_in_box:
            return draw(5, (0.0, 1.0), stream)
        return draw((0.0, 1.0), torch.ones(5).double(), stream)

    assert torch.equal(drawn(3), drawn(3))
    assert not torch.equal(drawn(3), drawn(4))
