import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.measure.sample_complexity import (
    bracketed,
    crossing,
    estimate,
    isotonic,
    sample_complexities,
)

SAMPLES = np.array([16.0, 23, 32, 45, 64])


def test_the_crossing_is_interpolated_in_log_samples():
    at = crossing(SAMPLES, np.array([0.0, 0.25, 0.75, 1, 1]))
    assert float(at) == pytest.approx(np.sqrt(23 * 32), rel=1e-12)


def test_nine_seeds_in_ten_need_more_than_half():
    solved = np.array([0.0, 0.5, 0.8, 1, 1])
    # From 0.8 to 1 it is half of the way to 0.9.
    assert float(crossing(SAMPLES, solved, 0.9)) == pytest.approx(np.sqrt(SAMPLES[2] * SAMPLES[3]))
    assert np.isnan(float(crossing(SAMPLES, 0.85 * solved, 0.9)))


def test_a_size_of_just_one_half_is_the_crossing():
    assert float(crossing(SAMPLES, np.array([0.0, 0.1, 0.5, 0.9, 1]))) == pytest.approx(32)


def test_a_fall_is_levelled_before_the_crossing_is_sought():
    # 0.6 and 0.4 are levelled to 1/2 each.
    at = crossing(SAMPLES, np.array([0.0, 0.6, 0.4, 0.6, 1]))
    assert float(at) == pytest.approx(23, rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(deadline=None)
def test_the_isotonic_fractions_are_those_of_barlows_formula(fractions):
    # Barlow et al. 1972: max over i <= k of the min over j >= k of the mean of sizes i to j.
    count = len(fractions)
    expected = [
        max(min(np.mean(fractions[i : j + 1]) for j in range(k, count)) for i in range(k + 1))
        for k in range(count)
    ]
    # Means of at most eight numbers below 1, summed in another order.
    np.testing.assert_allclose(isotonic(np.array(fractions)), expected, rtol=0, atol=1e-14)


def test_a_curve_beyond_the_search_says_so():
    assert float(crossing(SAMPLES, np.ones(5))) == 16
    assert np.isnan(float(crossing(SAMPLES, np.zeros(5))))
    assert np.isnan(float(crossing(SAMPLES, np.array([0.0, 0.5, 0.3, 0.4, 0.4]))))
    assert float(crossing(SAMPLES[:1], np.array([0.7]))) == 16


@given(
    fractions=st.lists(st.floats(0, 1), min_size=5, max_size=5).map(sorted),
)
def test_a_rising_curve_is_crossed_where_it_is_one_half(fractions):
    crossed = float(crossing(SAMPLES, np.array(fractions)))
    if fractions[-1] < 0.5:
        assert np.isnan(crossed)
    elif fractions[0] >= 0.5:
        assert crossed == 16
    else:
        at = np.interp(np.log(crossed), np.log(SAMPLES), fractions)
        # The inverse of an interpolation: its error grows where the curve is all but level.
        assert at == pytest.approx(0.5, abs=1e-6)


def test_many_resamples_are_crossed_at_once():
    curves = np.array([[0.0, 0.25, 0.75, 1, 1], [0, 0, 0, 0, 0.25], [1, 1, 1, 1, 1]])
    each = [float(crossing(SAMPLES, row)) for row in curves]
    assert np.array_equal(crossing(SAMPLES, curves), each, equal_nan=True)


def test_the_bootstrap_brackets_the_estimate_and_narrows_with_seeds():
    widths = []
    for seeds in (8, 128):
        rows = [np.arange(seeds) < round(f * seeds) for f in (0, 0.25, 0.5, 0.75, 1)]
        needed = estimate(16, SAMPLES, np.array(rows), 2000, generators([0])[0])
        low, high = needed.interval
        assert low <= needed.samples <= high
        widths.append(np.log(high / low))
    # The standard error falls as 1 / sqrt(seeds): 4 times here.
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.35)


def test_seeds_that_all_agree_leave_no_interval():
    rows = np.array([[False] * 5, [False] * 5, [True] * 5, [True] * 5, [True] * 5])
    needed = estimate(16, SAMPLES, rows, 100, generators([0])[0])
    assert needed.interval == pytest.approx((needed.samples, needed.samples), rel=1e-12)


def test_a_resample_beyond_the_search_counts_as_the_largest_size():
    rows = np.array([[False] * 4] * 4 + [[True, True, False, False]])
    needed = estimate(16, SAMPLES, rows, 500, generators([0])[0])
    assert bool(np.isfinite(needed.resampled).all())
    assert needed.resampled.max() == 64


def points(needed, seeds=6):
    rows = [
        (t, m, seed, 1.0 if m >= n else 0.6)
        for t, n in needed.items()
        for m in (16, 23, 32, 45, 64, 91)
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows, columns=["positions", "samples", "seed", "accuracy"])


def test_a_table_of_points_becomes_the_samples_needed():
    table = points({32: 45, 16: 23, 64: 1000})
    needed = sample_complexities(table, 0.99, 100, generators([0])[0])
    assert [each.positions for each in needed] == [16, 32, 64]
    samples = [each.samples for each in needed[:2]]
    assert samples == pytest.approx(np.sqrt([16 * 23, 32 * 45]), rel=1e-12)
    assert [each.is_bracketed for each in needed] == [True, True, False]
    assert [each.positions for each in bracketed(needed)] == [16, 32]


def test_resamples_beyond_the_search_are_counted():
    # One seed of two is solved, at the last size: a resample of the other twice needs more.
    rows = np.zeros((5, 2), dtype=bool)
    rows[4, 0] = True
    needed = estimate(16, SAMPLES, rows, 2000, generators([0])[0])
    # A quarter of the resamples; 2,000 draws have a standard error of 0.01.
    assert needed.censored == pytest.approx(0.25, abs=0.04)
