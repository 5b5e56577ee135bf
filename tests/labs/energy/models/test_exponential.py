import numpy as np
import pytest
import torch
from hypothesis import given

from labs.energy.strategies import spin_memories
from pipeline.labs.energy.models import exponential


def gap_of(states, *chunks):
    gaps = exponential.Gaps.of(states)
    for chunk in chunks:
        gaps.add(chunk)
    return gaps.value()


@given(memory=spin_memories())
def test_the_update_lowers_the_energy_of_each_spin_alone(memory):
    patterns, states = (values.double() for values in memory)
    gap = gap_of(states, patterns)
    for i in range(states.shape[2]):
        up, down = states.clone(), states.clone()
        up[..., i], down[..., i] = 1, -1
        difference = exponential.energy(down, patterns) - exponential.energy(up, patterns)
        # The gap is that difference over a positive number: signs agree beyond rounding.
        scale = -exponential.energy(states, patterns)
        clear = (difference.abs() / scale) > 1e-12
        assert torch.equal(gap[..., i].sign()[clear], difference.sign()[clear])


@given(memory=spin_memories())
def test_the_chunks_do_not_matter(memory):
    patterns, states = memory
    whole, parts = gap_of(states, patterns), gap_of(states, patterns[:, :1], patterns[:, 1:])
    # Sums of at most 6 terms of order 1 in another order.
    assert torch.allclose(whole, parts, rtol=0, atol=1e-15 * 10)


def test_of_two_patterns_at_distance_one_exactly_one_is_kept_once_others_decide():
    stored = torch.tensor([[[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, -1], [1, -1, -1, 1, -1, 1]]])
    stored = stored.float()
    pair = exponential.retrieved(stored, gap_of(stored, stored))[0, :2]
    assert pair.sum() == 1
    alone = stored[:, :2]
    assert not exponential.retrieved(alone, gap_of(alone, alone)).any()  # a tie is an error


def test_large_dimensions_do_not_overflow():
    stored = torch.ones(1, 2, 900)
    stored[0, 1, :450] = -1
    gap = gap_of(stored, stored)
    assert bool(torch.isfinite(gap).all())
    assert bool(exponential.retrieved(stored, gap).all())


def test_bad_input_is_refused():
    spins = torch.ones(1, 2, 4)
    with pytest.raises(ValueError, match=r"states must be \+1 or -1, got 0.5"):
        exponential.Gaps.of(spins / 2)
    with pytest.raises(ValueError, match=r"patterns must be \+1 or -1, got nan"):
        exponential.Gaps.of(spins).add(spins * torch.nan)
    with pytest.raises(ValueError, match="at least one pattern, got none"):
        exponential.Gaps.of(spins).value()


def test_the_theories_of_the_exponents_have_the_known_limits():
    d = np.array([400.0, 800.0])
    slope = np.diff(np.log2(exponential.half_all_stable(d)))[0] / 400
    # 1/2 minus log2(800/400) / 2 over 400 dimensions.
    assert slope == pytest.approx(0.5 - 0.5 / 400, abs=1e-12)
    entropy = -(0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))
    slope = np.diff(np.log2(exponential.half_retrieved(d, 0.25)))[0] / 400
    # 1 - H2(1/4), up to the binomial's log2(2) / 2 over 400 dimensions.
    assert slope == pytest.approx(1 - entropy, abs=0.5 / 400 + 1e-4)
    slope = np.diff(np.log2(exponential.fraction_stable(d, 0.95)))[0] / 400
    assert slope == pytest.approx(1 - 1 / 400, abs=1e-12)
