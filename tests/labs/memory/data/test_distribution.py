import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.labs.memory.data import families
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
def test_every_distribution_is_normalised_with_an_entropy_between_zero_and_log_n(make):
    distribution = make()
    for p in (
        distribution.first,
        distribution.second,
        distribution.third,
        distribution.contexts,
        distribution.marginals(),
    ):
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
