import pytest
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import patterns


@pytest.mark.parametrize(
    ("draw", "arguments"),
    [
        (patterns.random_spins, (5, 7)),
        (patterns.random_unit, (5, 7)),
        (patterns.random_clusters, (2, 6, 7, 0.5)),
    ],
)
def test_a_member_draws_what_its_seed_alone_would(draw, arguments):
    together = draw(*arguments, generators([3, 4]))
    alone = draw(*arguments, generators([4]))
    assert torch.equal(together[1:], alone)


def test_spins_are_plus_and_minus_one_in_equal_parts():
    spins = patterns.random_spins(100, 100, generators([0]))
    assert set(spins.unique().tolist()) == {-1.0, 1.0}
    # Five standard deviations of the mean of 10,000 fair signs.
    assert abs(spins.mean().item()) < 5 / 100


def test_patterns_of_a_cluster_have_the_wanted_cosine_and_unit_norm():
    drawn = patterns.random_clusters(2, 40, 2000, 0.6, generators([0]))[0]
    cosine = drawn @ drawn.T
    assert torch.allclose(cosine.diagonal(), torch.ones(40, dtype=torch.float64), atol=1e-12)
    # Directions in d dimensions have cosines of order 1 / sqrt(d); six of those.
    apart = torch.ones(20, 20, dtype=torch.bool).triu(1)
    assert (cosine[:20, :20][apart] - 0.6).abs().max() < 6 / 2000**0.5
    assert cosine[:20, 20:].abs().max() < 6 / 2000**0.5


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (patterns.require_patterns, torch.ones(1, 1, 4), "at least 2 patterns, got 1"),
        (patterns.require_patterns, torch.ones(4), "at least 2 patterns, got 1"),
        (patterns.require_patterns, torch.tensor([[1.0, torch.nan]] * 2), "finite, got nan"),
        (patterns.require_beta, 0.0, "beta must be > 0 and finite, got 0"),
        (patterns.require_beta, -1.0, "beta must be > 0 and finite, got -1"),
        (patterns.require_beta, float("inf"), "beta must be > 0 and finite, got inf"),
        (patterns.require_beta, float("nan"), "beta must be > 0 and finite, got nan"),
        (patterns.require_gamma, 0.0, "gamma must be in .* got 0"),
        (patterns.require_gamma, 2.001, "gamma must be in .* got 2.001"),
        (patterns.require_gamma, float("nan"), "gamma must be in .* got nan"),
    ],
)
def test_what_cannot_be_a_memory_is_refused_in_one_line(check, value, message):
    with pytest.raises(ValueError, match=message):
        check(value)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_one_value_that_is_not_finite_is_refused_wherever_it_is(value):
    values = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    patterns.require_finite(values, "states")
    values[1, 2] = float(value)
    with pytest.raises(ValueError, match=f"states must be finite, got {value}$"):
        patterns.require_finite(values, "states")


def test_no_values_are_finite():
    patterns.require_finite(torch.empty(0, 4), "states")


@pytest.mark.parametrize("value", [0.0, 0.5, 2.0, float("nan")])
def test_spins_other_than_plus_or_minus_one_are_refused(value):
    with pytest.raises(ValueError, match=r"states must be \+1 or -1, got"):
        patterns.require_spins(torch.tensor([1.0, value]), "states")
