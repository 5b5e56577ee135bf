import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labs.energy.strategies import spin_memories
from pipeline.labs.energy.models import classical


def naive_asynchronous(state, W, order, sweeps):
    """The textbook's loop: visit spins one at a time, flip against the field."""
    state = state.clone()
    for _ in range(sweeps):
        before = state.clone()
        for i in order.argsort().tolist():
            field = W[i] @ state
            if field != 0:
                state[i] = field.sign()
        if torch.equal(state, before):
            break
    return state


def orders(states, seed):
    return torch.rand(states.shape, generator=torch.Generator().manual_seed(seed))


@given(memory=spin_memories(), diagonal=st.booleans())
def test_the_energy_is_minus_half_the_squared_overlaps(memory, diagonal):
    patterns, states = memory
    W = classical.weights(patterns, diagonal=diagonal)
    squares = (states @ patterns.mT).square().sum(-1)
    own = 0 if diagonal else patterns.shape[1] * patterns.shape[2]
    assert torch.equal(classical.energy(states, W), -(squares - own) / 2)


@given(memory=spin_memories())
def test_a_bias_adds_its_overlap_to_the_energy_and_moves_the_update(memory):
    patterns, states = memory
    W = classical.weights(patterns, diagonal=False)
    bias = torch.full((1, patterns.shape[2]), 100.0)
    shift = classical.energy(states, W, bias) - classical.energy(states, W)
    assert torch.equal(shift, 100 * states.sum(-1))
    # The field is bounded by N d < 100: the bias decides every spin.
    assert bool((classical.synchronous_step(states, W, bias) == -1).all())


@given(memory=spin_memories(), diagonal=st.booleans(), seed=st.integers(0, 99))
def test_asynchronous_updates_equal_the_loop_over_single_spins(memory, diagonal, seed):
    patterns, states = memory
    W = classical.weights(patterns, diagonal=diagonal)
    order = orders(states, seed)
    final = classical.converge_asynchronous(states, W, order, max_flips=10_000)
    for k in range(states.shape[1]):
        expected = naive_asynchronous(states[0, k], W[0], order[0, k], 1000)
        assert torch.equal(final.states[0, k], expected)


@given(memory=spin_memories(), seed=st.integers(0, 99))
def test_asynchronous_updates_never_raise_the_energy_and_end_stable(memory, seed):
    patterns, states = memory
    W = classical.weights(patterns, diagonal=False)
    final = classical.converge_asynchronous(states, W, orders(states, seed), max_flips=10_000)
    assert not final.uphill.any()
    assert bool((classical.energy(final.states, W) <= classical.energy(states, W)).all())
    assert torch.equal(classical.synchronous_step(final.states, W), final.states)


def test_flips_are_counted_and_bounded():
    patterns = torch.ones(1, 2, 40)
    W = classical.weights(patterns, diagonal=False)
    state = torch.ones(1, 1, 40)
    state[..., :10] = -1
    order = orders(state, 0)
    assert classical.converge_asynchronous(state, W, order, 1000).steps.item() == 10
    assert classical.converge_asynchronous(state, W, order, 3).steps.item() == 3


def test_synchronous_updates_can_rise_and_alternate_between_two_states():
    # Two spins that want to be equal, apart: each takes the other's value, for ever.
    patterns = torch.ones(1, 2, 2)
    W = classical.weights(patterns, diagonal=False)
    state = torch.tensor([[[1.0, -1.0]]])
    final = classical.converge_synchronous(state, W, 50)
    assert final.two_cycle.item()
    assert torch.equal(classical.synchronous_step(state, W), -state)


@given(memory=spin_memories())
def test_synchronous_updates_end_at_rest_or_in_two_cycles(memory):
    patterns, states = memory
    W = classical.weights(patterns, diagonal=False)
    final = classical.converge_synchronous(states, W, 1000)
    twice = classical.synchronous_step(classical.synchronous_step(final.states, W), W)
    assert torch.equal(twice, final.states)
    once = classical.synchronous_step(final.states, W)
    assert torch.equal((once != final.states).any(-1), final.two_cycle)


@given(memory=spin_memories())
def test_with_the_diagonal_kept_synchronous_updates_never_raise_the_energy(memory):
    # W is then positive semi-definite, and E is concave along every update.
    patterns, states = memory
    W = classical.weights(patterns, diagonal=True)
    final = classical.converge_synchronous(states, W, 1000)
    assert not final.uphill.any()
    assert not final.two_cycle.any()


def test_a_member_converges_as_it_would_alone():
    draw = torch.Generator().manual_seed(0)
    spins = torch.randint(0, 2, (3, 12, 40), generator=draw).float() * 2 - 1
    W = classical.weights(spins, diagonal=False)
    start, order = spins[:, :4], torch.rand(3, 4, 40, generator=draw)
    together = classical.converge_asynchronous(start, W, order, 10_000)
    alone = classical.converge_asynchronous(start[1:2], W[1:2], order[1:2], 10_000)
    assert torch.equal(together.states[1:2], alone.states)
    assert torch.equal(together.steps[1:2], alone.steps)


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (torch.ones(1, 1, 4), "at least 2 patterns, got 1"),
        (torch.full((1, 2, 4), 0.5), r"must be \+1 or -1, got 0.5"),
        (torch.full((1, 2, 4), torch.inf), "must be finite, got inf"),
    ],
)
def test_bad_patterns_are_refused(patterns, message):
    with pytest.raises(ValueError, match=message):
        classical.weights(patterns, diagonal=False)


def test_states_that_are_not_spins_are_refused():
    W = classical.weights(torch.ones(1, 2, 4), diagonal=False)
    bad = torch.zeros(1, 1, 4)
    with pytest.raises(ValueError, match=r"states must be \+1 or -1, got 0"):
        classical.converge_synchronous(bad, W, 5)
    with pytest.raises(ValueError, match=r"states must be \+1 or -1, got 0"):
        classical.converge_asynchronous(bad, W, bad, 5)
