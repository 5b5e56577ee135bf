import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from labs.energy.strategies import spin_memories
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data.patterns import random_spins
from pipeline.labs.energy.models import classical, dense


def flipped_energies(state, patterns, a):
    """E with each spin set to -1, minus E with it set to +1, one spin at a time."""
    gaps = []
    for i in range(len(state)):
        up, down = state.clone(), state.clone()
        up[i], down[i] = 1, -1
        both = torch.stack([down, up])[None]
        energy = dense.energy(both.double(), patterns[None].double(), a)[0]
        gaps.append(energy[0] - energy[1])
    return torch.stack(gaps)


@given(memory=spin_memories(), a=st.integers(2, 6))
def test_the_gap_is_the_difference_of_two_energies(memory, a):
    patterns, states = memory
    gaps = dense.gaps(states, patterns, a)
    for k in range(states.shape[1]):
        expected = flipped_energies(states[0, k], patterns[0], a)
        # Whole numbers far below 2^53: exact.
        assert torch.equal(gaps[0, k], expected)


@given(memory=spin_memories(), a=st.integers(2, 4))
def test_chunks_of_patterns_add_up(memory, a):
    patterns, states = memory
    first, rest = patterns[:, :1], patterns[:, 1:]
    total = dense.gaps(states, first, a) + dense.gaps(states, rest, a)
    assert torch.equal(total, dense.gaps(states, patterns, a))


@given(memory=spin_memories())
def test_the_square_is_twice_the_classical_energy_up_to_a_constant(memory):
    patterns, states = memory
    W = classical.weights(patterns, diagonal=False)
    constant = patterns.shape[1] * patterns.shape[2]
    assert torch.equal(
        dense.energy(states, patterns, 2), 2 * classical.energy(states, W) - constant
    )


def test_the_printed_polynomials_of_cubic_and_quartic_interactions():
    assert dense.coefficients(2) == ([0, 4], [4, 0])
    assert dense.coefficients(3) == ([8, 0, 6], [0, 12, 0])
    assert dense.coefficients(4) == ([0, 32, 0, 8], [16, 0, 24, 0])


@pytest.mark.parametrize("a", [1, 0, -2])
def test_a_power_that_couples_nothing_is_refused(a):
    with pytest.raises(ValueError, match=f"at least 2, got {a}"):
        dense.coefficients(a)


def test_a_tie_counts_as_an_error():
    states = torch.ones(1, 1, 4)
    gap = torch.tensor([[[1.0, 0.0, -1.0, 2.0]]], dtype=torch.float64)
    assert dense.bit_error(states, gap).item() == 0.5


def test_the_capacity_of_exactly_gaussian_errors_is_recovered():
    counts = np.array([50.0, 80.0, 120.0])
    errors = norm.sf(np.sqrt(600 / (counts - 1)))
    found = dense.capacity_at(counts, errors, 0.005)
    # A line through points on a line: rounding of the normal quantiles alone.
    assert found == pytest.approx(1 + 600 / norm.isf(0.005) ** 2, rel=1e-9)


def test_a_capacity_without_errors_to_go_by_is_refused():
    with pytest.raises(ValueError, match="two numbers of patterns with errors"):
        dense.capacity_at(np.array([5.0, 9.0]), np.array([0.0, 0.0]), 0.005)


def test_the_classical_theory_agrees_with_measured_errors():
    d, count = 256, 40
    states = random_spins(count, d, generators(range(20)))
    error = dense.bit_error(states, dense.gaps(states, states, 2)).mean().item()
    expected = norm.sf(np.sqrt(d / (count - 1)))
    spins = 20 * count * d
    # Five standard deviations of a fraction of that many spins, and the theory's own 1/d.
    assert abs(error - expected) < 5 * np.sqrt(expected / spins) + expected * 30 / d
