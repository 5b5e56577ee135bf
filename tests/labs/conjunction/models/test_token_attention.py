import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.labs.conjunction.models.token_attention import (
    attend_sequences,
    attend_tokens,
    indicators,
    safe_range,
    token_pattern,
)

EPS = torch.finfo(torch.float64).eps


def case(seed, members=2, batch=5, positions=3, queries=4, size=1.0):
    generator = torch.Generator().manual_seed(seed)
    scores = size * torch.randn(
        members, queries, 2 * positions, generator=generator, dtype=torch.float64
    )
    values = torch.randn(members, 2 * positions, generator=generator, dtype=torch.float64)
    bits = (torch.rand(members, batch, positions, generator=generator) < 0.5).double()
    return scores, values, bits


def plain(scores, values, bits):
    """T x T attention written out: every sequence's own keys, one softmax each."""
    positions = bits.shape[-1]
    own = bits.long() * positions + torch.arange(positions)
    outputs = torch.empty(*bits.shape[:2], scores.shape[1], dtype=torch.float64)
    for m in range(bits.shape[0]):
        for b in range(bits.shape[1]):
            weights = scores[m][:, own[m, b]].softmax(-1)
            outputs[m, b] = weights @ values[m, own[m, b]]
    return outputs


def test_each_position_holds_one_token():
    present = indicators(case(0)[2])
    assert torch.equal(present[..., :3] + present[..., 3:], torch.ones(2, 5, 3).double())
    assert torch.equal(present[..., 3:], case(0)[2])


@given(seed=st.integers(0, 10**6), size=st.sampled_from([0.0, 1.0, 30.0, 100.0, 180.0]))
@settings(deadline=None, max_examples=40)
def test_the_table_agrees_with_a_softmax_for_each_sequence(seed, size):
    # At size 180 the gaps between scores reach several hundred: float32 would underflow.
    scores, values, bits = case(seed, size=size)
    found = attend_tokens(scores, values, indicators(bits), vocabulary=2)
    # The exponent of a gap g carries a relative error of g eps; a sum of T products adds T eps.
    gap = float(scores.max() - scores.min())
    tolerance = (2 * gap + 20) * EPS * float(values.abs().max())
    assert float((found - plain(scores, values, bits)).abs().max()) <= tolerance


def test_gaps_of_several_hundred_are_computed_by_the_table_itself():
    scores, values, bits = case(3)
    scores = scores / (scores.amax() - scores.amin()) * 800
    assert 700 < float(scores.amax() - scores.amin()) < safe_range(torch.float64)
    found = attend_tokens(scores, values, indicators(bits), vocabulary=2)
    assert float((found - plain(scores, values, bits)).abs().max()) <= 2000 * EPS


@pytest.mark.parametrize("size", [2_000.0, 1e6])
def test_gaps_beyond_the_exponential_fall_back_and_stay_exact(size):
    scores, values, bits = case(4, size=size)
    found = attend_tokens(scores, values, indicators(bits), vocabulary=2)
    assert bool(torch.isfinite(found).all())
    # Weights here are 0 or 1 to rounding, so scores' own rounding leaves the outputs alone.
    assert float((found - plain(scores, values, bits)).abs().max()) <= 50 * EPS


@pytest.mark.parametrize("size", [1.0, 2_000.0])
def test_only_the_queries_that_are_asked_answer(size):
    scores, values, bits = case(5, queries=6, size=size)
    present = indicators(bits)
    every = attend_tokens(scores, values, present, vocabulary=2)
    some = attend_tokens(scores, values, present, vocabulary=2, asked=present)
    assert torch.equal(some == 0, present == 0)
    # One rounding apart: asked / total, and weighted * (1 / total).
    assert float((some - every * present).abs().max()) <= 4 * EPS * float(values.abs().max())


@pytest.mark.parametrize("masked", [False, True])
def test_the_hand_written_gradient_is_the_derivative(masked):
    scores, values, bits = case(6, queries=6)
    present = indicators(bits)
    asked = present if masked else None
    scores.requires_grad_()
    values.requires_grad_()

    def function(s, v):
        return attend_tokens(s, v, present, vocabulary=2, asked=asked)

    assert torch.autograd.gradcheck(function, (scores, values))


def test_weights_are_a_distribution_over_the_tokens_present():
    scores, values, bits = case(7)
    present = indicators(bits)
    weights = token_pattern(scores, present)
    # A sum of three weights that are each rounded.
    assert torch.allclose(weights.sum(-1), torch.ones(2, 5, 4).double(), rtol=0, atol=4 * EPS)
    assert bool((weights[(present == 0)[:, :, None].expand_as(weights)] == 0).all())
    output = attend_sequences(scores, values, present)
    assert torch.allclose(output, (weights * values[:, None, None]).sum(-1), rtol=0, atol=20 * EPS)
