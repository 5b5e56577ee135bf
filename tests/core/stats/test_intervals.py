from fractions import Fraction
from math import comb

import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.core.stats.intervals import (
    band,
    mean_summary,
    median_interval,
    proportion,
    summary,
    table,
)

# Table A3 of such intervals: the order statistic k that starts the 95 % interval of n values.
KNOWN = {6: 1, 8: 1, 9: 2, 11: 2, 12: 3, 15: 4, 17: 5, 20: 6, 25: 8, 30: 10, 40: 14, 50: 18}


def below(n, k):
    """Return P(Binomial(n, 1/2) < k), exactly."""
    return Fraction(sum(comb(n, j) for j in range(k)), 2**n)


def coverage(n, k):
    return 1 - 2 * below(n, k)


def ranks(n, confidence=0.95):
    """Return (k, its mirror) of the interval that is taken of the values 1 to n."""
    _, low, high = median_interval(torch.arange(1, n + 1).double(), confidence)
    assert low == n + 1 - high
    return int(low)


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", range(1, 61))
def test_the_interval_is_the_shortest_that_keeps_its_confidence(n, confidence):
    k = ranks(n, confidence)
    wanted = Fraction(str(confidence))
    if coverage(n, 1) >= wanted:
        assert coverage(n, k) >= wanted
    else:
        assert k == 1, "the whole range is all there is"
    assert 2 * (k + 1) > n + 1 or coverage(n, k + 1) < wanted


@pytest.mark.parametrize(("n", "k"), KNOWN.items())
def test_the_order_statistic_is_the_tabulated_one(n, k):
    assert ranks(n) == k


def test_small_samples_cover_what_the_docstring_says():
    assert float(coverage(3, ranks(3))) == 0.75
    assert float(coverage(5, ranks(5))) == 0.9375
    assert coverage(6, ranks(6)) > Fraction(95, 100)


def test_the_interval_covers_the_median_of_a_skewed_distribution_as_often_as_it_should():
    generator = torch.Generator().manual_seed(0)
    drawn = torch.rand(9, 4000, generator=generator, dtype=torch.float64)
    samples = -torch.log(drawn)  # exponential: its median is log 2
    _, low, high = band(samples)
    truth = torch.log(torch.tensor(2.0, dtype=torch.float64))
    covered = float(((low <= truth) & (truth <= high)).double().mean())
    expected = float(coverage(9, 2))
    # Five standard deviations of a binomial proportion of 4000 trials.
    assert covered == pytest.approx(expected, abs=5 * (expected * (1 - expected) / 4000) ** 0.5)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9, 10, 23])
def test_a_band_is_the_interval_of_every_entry(n):
    values = torch.randn(n, 3, 5, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    found = band(values)
    assert found.shape == (3, 3, 5)
    for i in range(3):
        for j in range(5):
            assert tuple(found[:, i, j].tolist()) == median_interval(values[:, i, j])


@pytest.mark.parametrize("n", [1, 2, 5, 6])
def test_the_median_is_numpy_s_and_order_is_nothing(n):
    values = torch.randn(n, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
    middle, low, high = median_interval(values)
    assert middle == pytest.approx(float(values.quantile(0.5)), rel=1e-15)
    assert low <= middle <= high
    assert median_interval(values.flip(0)) == (middle, low, high)


@pytest.mark.parametrize("values", [[], [1.0, torch.nan], [torch.inf], [0.0, -torch.inf, 1.0]])
def test_a_median_of_nothing_or_of_what_is_not_finite_is_refused(values):
    with pytest.raises(ValueError, match="a median needs finite values, got"):
        median_interval(torch.tensor(values, dtype=torch.float64))


def test_a_summary_names_median_interval_and_count():
    found = summary({"error": torch.tensor([3.0, 1.0, 2.0]).double()})
    assert found == {"error": 2.0, "error_low": 1.0, "error_high": 3.0, "n": 3}
    assert all(type(value) in (float, int) for value in found.values())


def test_a_table_has_a_row_for_each_quantity_of_each_condition():
    one = summary({"r50": torch.tensor([1.0, 2.0]).double(), "low_low": torch.ones(2).double()})
    metrics = {"O3": {"gamma_0": one}, "O5": {"big": summary({"r50": torch.ones(4).double()})}}
    found = table(metrics)
    expected = pd.DataFrame(
        [
            ("O3", "gamma_0", "r50", 1.5, 1.0, 2.0, 2),
            ("O3", "gamma_0", "low_low", 1.0, 1.0, 1.0, 2),
            ("O5", "big", "r50", 1.0, 1.0, 1.0, 4),
        ],
        columns=["experiment", "condition", "quantity", "median", "low", "high", "n"],
    )
    pd.testing.assert_frame_equal(found, expected)


def test_a_summary_of_means_has_student_s_interval():
    values = torch.tensor([0.9, 1.0, 0.8, 0.95], dtype=torch.float64)
    found = mean_summary({"coverage": values})
    error = stats.sem(values.numpy())
    low, high = stats.t.interval(0.95, 3, loc=float(values.mean()), scale=error)
    expected = {"coverage": 0.9125, "coverage_low": low, "coverage_high": high, "n": 4}
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_interval_of_a_mean_covers_it_as_often_as_it_says():
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(2000, 5, generator=generator, dtype=torch.float64)
    summaries = [mean_summary({"x": row}) for row in draws]
    covered = sum(s["x_low"] <= 0 <= s["x_high"] for s in summaries) / 2000
    # Five standard deviations of a proportion of 2000 trials.
    assert covered == pytest.approx(0.95, abs=5 * (0.95 * 0.05 / 2000) ** 0.5)


def test_one_value_has_no_interval_of_its_mean():
    with pytest.raises(ValueError, match="two values or more, got 1"):
        mean_summary({"x": torch.ones(1).double()})


@given(n=st.integers(1, 60), data=st.data())
def test_the_interval_of_a_proportion_is_clopper_and_pearsons(n, data):
    k = data.draw(st.integers(0, n))
    found = proportion("hit", torch.arange(n) < k)
    assert found["n"] == n
    assert found["hit"] == k / n
    low = stats.beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = stats.beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    # scipy finds the same bounds by root finding, to 1e-9 or better.
    assert found["hit_low"] == pytest.approx(low, abs=1e-8)
    assert found["hit_high"] == pytest.approx(high, abs=1e-8)


# 0.05 and 1/2 give products that fall on a whole rank; scipy's distributions are the reference.
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99, 0.999])
def test_the_rank_is_the_binomial_quantile(confidence):
    for n in range(1, 400):
        expected = max(1, int(stats.binom.ppf((1 - confidence) / 2, n, 0.5)))
        assert ranks(n, confidence) == expected
