import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labs.energy.strategies import memories
from pipeline.labs.energy.models import continuous

BETAS = st.floats(0.01, 20)
GAMMAS = st.floats(0.01, 2)


def rounding(*energies):
    # Energies are sums of a dozen numbers of at most this size.
    return 1e-13 * (1 + sum(energy.abs() for energy in energies))


@given(memory=memories(), beta=BETAS)
def test_the_update_is_torchs_scaled_dot_product_attention(memory, beta):
    patterns, states = memory
    theirs = torch.nn.functional.scaled_dot_product_attention(
        states, patterns, patterns, scale=beta
    )
    # Scores up to beta |x| |xi| < 2000 round at 1e-13 in both, and the softmax keeps that.
    assert torch.allclose(continuous.update(states, patterns, beta), theirs, rtol=0, atol=1e-11)


@given(memory=memories(), beta=BETAS)
def test_a_step_is_minus_the_gradient_of_the_energy(memory, beta):
    patterns, states = memory
    states = states.requires_grad_()
    (gradient,) = torch.autograd.grad(continuous.energy(states, patterns, beta).sum(), states)
    step = continuous.update(states.detach(), patterns, beta) - states.detach()
    assert torch.allclose(step, -gradient, rtol=0, atol=1e-11)


@given(memory=memories(), beta=BETAS, gamma=GAMMAS)
def test_the_descent_inequality_holds_for_every_gamma_up_to_two(memory, beta, gamma):
    patterns, states = memory
    before = continuous.energy(states, patterns, beta)
    after = continuous.energy(continuous.update(states, patterns, beta, gamma), patterns, beta)
    g = states - continuous.update(states, patterns, beta)
    bound = -gamma * (1 - gamma / 2) * g.square().sum(-1)
    assert bool((after - before <= bound + rounding(before, after)).all())


@given(memory=memories(), beta=BETAS)
def test_many_states_are_updated_as_one_is(memory, beta):
    patterns, states = memory
    found = continuous.retrieve(states, patterns, beta)
    # Rounding as above.
    assert torch.allclose(found, continuous.update(states, patterns, beta), rtol=0, atol=1e-11)
    one = continuous.retrieve(states[0], patterns[0], beta)
    assert torch.allclose(one, found[0], rtol=0, atol=1e-11)


def test_above_two_steps_go_uphill():
    patterns = torch.zeros(1, 2, 3, dtype=torch.float64)  # E = |xi|^2 / 2 up to a constant
    state = torch.ones(1, 1, 3, dtype=torch.float64)
    step = continuous.update(state, patterns, 1.0) - state
    change = [
        (continuous.energy(state + gamma * step, patterns, 1.0)
         - continuous.energy(state, patterns, 1.0)).item()
        for gamma in (1.9, 2.1)
    ]  # fmt: skip
    assert change[0] < 0 < change[1]


@given(memory=memories(), beta=BETAS, noise=st.floats(0, 1))
def test_the_error_of_one_step_is_within_its_bound(memory, beta, noise):
    patterns, offsets = memory
    states = patterns + noise * offsets[:, :1]
    delta = continuous.separation(states, patterns)
    error = (continuous.update(states, patterns, beta) - patterns).norm(dim=-1)
    bound = continuous.retrieval_bound(delta, patterns, beta)
    assert bool((error <= bound + 1e-11).all())  # rounding of the update, as above


@given(memory=memories(), beta=BETAS)
def test_the_effective_number_lies_between_one_and_all(memory, beta):
    patterns, states = memory
    number = continuous.effective_number(continuous.attention(states, patterns, beta))
    assert bool(((number >= 1 - 1e-12) & (number <= patterns.shape[1] + 1e-12)).all())


def test_converged_states_are_fixed_points_and_the_steps_are_bounded():
    patterns = torch.eye(4, dtype=torch.float64)[None]
    start = patterns + 0.1
    ends, steps = continuous.fixed_points(start, patterns, 8.0, tolerance=1e-12, max_steps=1000)
    assert steps < 1000
    moved = continuous.update(ends, patterns, 8.0) - ends
    assert moved.norm(dim=-1).max() <= 1e-12
    assert continuous.fixed_points(start, patterns, 8.0, tolerance=0.0, max_steps=3)[1] == 3


def test_end_points_are_grouped_by_distance_in_order_of_appearance():
    ends = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 1e-6], [5.0, 1e-6]])
    attractors, label = continuous.basins(ends, 1e-3)
    assert torch.equal(attractors, ends[:2])
    assert label.tolist() == [0, 1, 0, 1]


PATTERNS = torch.eye(3, dtype=torch.float64)[None]


@pytest.mark.parametrize(
    ("states", "patterns", "beta", "gamma", "message"),
    [
        (PATTERNS, PATTERNS, 0.0, 1.0, "beta must be > 0"),
        (PATTERNS, PATTERNS, -2.0, 1.0, "beta must be > 0"),
        (PATTERNS, PATTERNS, 1.0, 0.0, r"gamma must be in \(0, 2\], got 0"),
        (PATTERNS, PATTERNS, 1.0, 2.5, r"gamma must be in \(0, 2\], got 2.5"),
        (PATTERNS, PATTERNS[:, :1], 1.0, 1.0, "at least 2 patterns, got 1"),
        (PATTERNS, PATTERNS * torch.nan, 1.0, 1.0, "patterns must be finite, got nan"),
        (PATTERNS + torch.inf, PATTERNS, 1.0, 1.0, "states must be finite, got inf"),
    ],
)
def test_bad_input_is_refused(states, patterns, beta, gamma, message):
    with pytest.raises(ValueError, match=message):
        continuous.update(states, patterns, beta, gamma)
