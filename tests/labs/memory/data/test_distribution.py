import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.labs.memory import distributions
from pipeline.labs.memory.data.distribution import Distribution

FRACTION = st.floats(0.05, 1)


def stream(seed):
    return torch.Generator().manual_seed(seed)


@st.composite
def descriptions(draw):
    """Any distribution of the four kinds, with few tokens: what makes it, from a generator."""
    N, seed = draw(st.integers(2, 7)), draw(st.integers(0, 2**31))
    kind = draw(st.sampled_from(["power", "last", "rank", "almost"]))
    rank, aligned = draw(st.integers(1, N)), draw(st.booleans())
    if kind == "power":
        kept = draw(st.tuples(*[st.integers(1, N)] * 3))
        alphas = draw(st.tuples(FRACTION, FRACTION, FRACTION))
        return lambda: families.power_unif(alphas, families.draw_supports(N, kept, stream(seed)), N)
    if kind == "last":
        k, p = draw(st.floats(0, 3)), draw(FRACTION)
        return lambda: families.last_position(N, k, p, stream(seed))
    if kind == "rank":
        flat = draw(st.floats(0.01, 3))
        return lambda: families.rank_d(N, rank, aligned, flat, stream(seed))[0]
    high, low = draw(st.floats(0, 2)), draw(st.floats(0, 1))
    return lambda: families.almost_rank_d(N, rank, aligned, high, low, stream(seed))


@given(make=descriptions())
@settings(max_examples=60, deadline=None)
def test_every_law_is_normalised_with_an_entropy_between_zero_and_log_n(make):
    distribution = make()
    for p in (distribution.first, distribution.second, distribution.third, distribution.contexts, distribution.marginals()):
        assert bool((p >= 0).all())
        # Sums of at most 49 float64 numbers.
        torch.testing.assert_close(p.sum(-1), torch.ones_like(p.sum(-1)), atol=1e-13, rtol=0)
    assert -1e-13 <= float(distribution.entropy()) <= math.log(distribution.N) + 1e-13


@given(make=descriptions(), seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_samples_have_the_exact_marginals_and_are_possible(make, seed):
    distribution = make()
    count = 4000
    triples = distribution.sample(count, stream(seed))
    assert bool((distribution.third[tuple(triples.T)] > 0).all())
    for position, expected in enumerate(distribution.marginals()):
        found = torch.bincount(triples[:, position], minlength=distribution.N) / count
        # Six standard deviations of a frequency: one failure in some 1e8 comparisons.
        spread = (expected * (1 - expected) / count).sqrt()
        assert bool(((found - expected).abs() <= 6 * spread + 1e-9).all())


def test_a_last_support_of_one_token_is_a_look_up_table():
    distribution = families.power_unif((1.0, 1.0, 1.0), families.draw_supports(5, (5, 5, 1), stream(0)), 5)
    assert float(distribution.entropy()) == 0
    assert bool(((distribution.third == 0) | (distribution.third == 1)).all())
    torch.testing.assert_close(distribution.contexts, torch.full((25,), 0.04, dtype=torch.float64))


def test_power_weights_fall_by_alpha_along_the_support():
    supports = families.draw_supports(4, (4, 4, 4), stream(1))
    distribution = families.power_unif((0.5, 1.0, 0.25), supports, 4)
    ordered = distribution.first[supports[0]]
    torch.testing.assert_close(ordered[1:] / ordered[:-1], torch.full((3,), 0.5).double())
    last = distribution.third[2, 3][supports[2][2, 3]]
    torch.testing.assert_close(last[1:] / last[:-1], torch.full((3,), 0.25).double())


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("rank", [1, 3, 5])
def test_rank_d_laws_have_log_probabilities_of_that_rank(rank, aligned):
    distribution, W = families.rank_d(5, rank, aligned, 0.5, stream(2))
    assert W.shape == (5, rank)
    logs = distribution.conditional.log()
    # Less the mean over tokens, the softmax's constant is gone: rank d, one less if W spans it.
    values = torch.linalg.svdvals(logs - logs.mean(1, keepdim=True))
    assert bool((values[min(rank, 4) :] < 1e-12).all())
    assert float(values[min(rank, 4) - 1]) > 1e-3


def test_almost_rank_d_laws_have_the_given_singular_values():
    distribution = families.almost_rank_d(5, 2, False, 1.0, 0.0, stream(3))
    logs = distribution.conditional.log()
    values = torch.linalg.svdvals(logs - logs.mean(1, keepdim=True))
    assert bool((values[2:] < 1e-12).all())


def test_last_position_puts_p_on_one_token():
    distribution = families.last_position(5, 2.0, 0.8, stream(4))
    ordered = distribution.conditional.sort(1).values
    torch.testing.assert_close(ordered[:, -1], torch.full((25,), 0.8).double())
    torch.testing.assert_close(ordered[:, :-1], torch.full((25, 4), 0.05).double())


@pytest.mark.parametrize(
    ("part", "message"),
    [(0, r"p\(a\) must sum to 1"), (1, r"p\(b\|a\) must sum to 1"), (2, r"p\(c\|a,b\) must sum")],
)
def test_what_does_not_normalise_is_refused(part, message):
    distribution, _ = families.rank_d(3, 2, True, 0.1, stream(5))
    tables = [distribution.first, distribution.second, distribution.third]
    tables[part] = tables[part] * 1.01
    with pytest.raises(ValueError, match=message):
        Distribution(*tables)


def test_a_negative_probability_is_refused():
    p = torch.tensor([1.5, -0.5], dtype=torch.float64)
    half = torch.full((2, 2, 2), 0.5, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"must not be negative, got -0\.5"):
        Distribution(p, half[0], half)


POWER = {"N": 5, "alpha_1": (1.0,), "alpha_2": (1.0,), "seeds": (0,)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: families.PowerConfig(support_sizes=(5, 6, 1), **POWER),
            "support_sizes must be from 1 to N = 5",
        ),
        (
            lambda: families.PowerConfig(support_sizes=(0, 5, 1), **POWER),
            "support_sizes must be from 1 to N = 5",
        ),
        (
            lambda: families.RankConfig(N=5, ranks=(2, 6), axis_aligned=(True,), flat=0.1, seeds=(0,)),
            "ranks must not exceed N = 5",
        ),
        (
            lambda: families.AlmostRankConfig(
                N=5, rank=6, axis_aligned=True, high=1.0, low=0.1, seeds=(0,)
            ),
            "rank must not exceed N = 5, got 6",
        ),
    ],
)
def test_sizes_beyond_the_tokens_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
