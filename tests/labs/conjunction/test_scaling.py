import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction import scaling
from pipeline.labs.conjunction.scaling import compare_laws, crossing, curve, need, power_law

SAMPLES = np.array([16.0, 23, 32, 45, 64])
T = np.array([16.0, 32, 64, 128])


def test_the_crossing_is_interpolated_in_log_samples():
    found = crossing(SAMPLES, np.array([0.0, 0.25, 0.75, 1, 1]))
    assert float(found) == pytest.approx(np.sqrt(23 * 32), rel=1e-12)


def test_a_rung_of_just_one_half_is_the_crossing():
    assert float(crossing(SAMPLES, np.array([0.0, 0.1, 0.5, 0.9, 1]))) == pytest.approx(32)


def test_a_fall_is_levelled_before_the_crossing_is_sought():
    # 0.6 and 0.4 are levelled to 1/2 each.
    found = crossing(SAMPLES, np.array([0.0, 0.6, 0.4, 0.6, 1]))
    assert float(found) == pytest.approx(23, rel=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(deadline=None)
def test_the_isotonic_fractions_are_those_of_scikit_learn(fractions):
    found = scaling.isotonic(np.array(fractions))
    expected = IsotonicRegression().fit_transform(np.arange(len(fractions)), fractions)
    # Means of at most eight numbers below 1, from running sums.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)


def test_solved_fractions_are_split_by_the_lean_of_the_samples():
    rows = [(64, 8, 0.5, 1.0), (64, 16, 1.0, 1.0), (64, 16, 0.5, -1.0), (64, 16, 0.5, 0.5),
            (32, 16, 1.0, -1.0)]  # fmt: skip
    points = pd.DataFrame(rows, columns=["positions", "samples", "accuracy", "lean"])
    assert scaling.by_lean(points, 0.99) == {
        "positions": 64, "n_up": 2, "solved_up": 0.5, "n_down": 1, "solved_down": 0.0,
    }  # fmt: skip


def test_a_curve_beyond_the_search_says_so():
    assert float(crossing(SAMPLES, np.ones(5))) == 16
    assert np.isnan(float(crossing(SAMPLES, np.zeros(5))))
    assert np.isnan(float(crossing(SAMPLES, np.array([0.0, 0.5, 0.3, 0.4, 0.4]))))
    assert float(crossing(SAMPLES[:1], np.array([0.7]))) == 16


@given(
    fractions=st.lists(st.floats(0, 1), min_size=5, max_size=5).map(sorted),
)
def test_a_rising_curve_is_crossed_where_it_is_one_half(fractions):
    found = float(crossing(SAMPLES, np.array(fractions)))
    if fractions[-1] < 0.5:
        assert np.isnan(found)
    elif fractions[0] >= 0.5:
        assert found == 16
    else:
        at = np.interp(np.log(found), np.log(SAMPLES), fractions)
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
        found = need(16, SAMPLES, np.array(rows), 2000, generators([0])[0])
        low, high = found.interval
        assert low <= found.samples <= high
        widths.append(np.log(high / low))
    # The standard error falls as 1 / sqrt(seeds): 4 times here.
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.35)


def test_seeds_that_all_agree_leave_no_interval():
    rows = np.array([[False] * 5, [False] * 5, [True] * 5, [True] * 5, [True] * 5])
    found = need(16, SAMPLES, rows, 100, generators([0])[0])
    assert found.interval == pytest.approx((found.samples, found.samples), rel=1e-12)


def test_a_resample_beyond_the_search_counts_as_the_largest_size():
    rows = np.array([[False] * 4] * 4 + [[True, True, False, False]])
    found = need(16, SAMPLES, rows, 500, generators([0])[0])
    assert bool(np.isfinite(found.resampled).all())
    assert found.resampled.max() == 64


@given(exponent=st.floats(-1, 2), scale=st.floats(0.1, 100))
def test_a_power_law_is_recovered(exponent, scale):
    [slope], [intercept] = power_law(T, (scale * T**exponent)[None])
    # Logarithms of order 10, rounded, over a spread of log T of 2.
    assert float(slope) == pytest.approx(exponent, abs=1e-12)
    assert float(intercept) == pytest.approx(np.log(scale), abs=1e-11)


@given(a=st.floats(1, 50), b=st.floats(0.5, 30))
def test_a_logarithm_is_recovered_and_told_from_a_power(a, b):
    laws = compare_laws(T, a + b * np.log2(T))
    assert laws.per_doubling == pytest.approx(b, rel=1e-8)
    assert laws.logarithm_error < 1e-8
    power = compare_laws(T, 2 * T**0.9)
    assert power.power_error < 1e-12
    assert power.logarithm_error > 0.05
    assert power.exponent == pytest.approx(0.9, rel=1e-12)


def points(needed, seeds=6):
    rows = [
        {
            "learner": "a",
            "positions": t,
            "samples": m,
            "seed": s,
            "accuracy": 1.0 if m >= n else 0.6,
        }
        for t, n in needed.items()
        for m in (16, 23, 32, 45, 64, 91)
        for s in range(seeds)
    ]
    return pd.DataFrame(rows)


def test_a_table_of_points_becomes_the_samples_needed():
    needs = curve(points({32: 45, 16: 23, 64: 91}), 0.99, 100, generators([0])[0])
    assert [n.positions for n in needs] == [16, 32, 64]
    found = [n.samples for n in needs]
    assert found == pytest.approx(np.sqrt([16 * 23, 32 * 45, 64 * 91]), rel=1e-12)
    metrics = scaling.summarise(needs)
    [slope], _ = power_law(T[:3], np.array([found]))
    assert metrics["exponent"] == pytest.approx(float(slope))
    assert metrics["m32_low"] <= metrics["m32"] <= metrics["m32_high"]


def test_a_t_that_was_not_reached_is_left_out_not_invented():
    needs = curve(points({16: 23, 32: 1000}), 0.99, 100, generators([0])[0])
    assert np.isnan(needs[1].samples)
    assert scaling.laws(needs) == {}
    assert set(scaling.summarise(needs)) == {"m16", "m16_low", "m16_high", "m32_above"}
    assert [row["positions"] for row in scaling.needs_rows(needs)] == [16]


def test_a_t_beyond_the_search_is_told_and_left_out_of_the_laws():
    rows = [(t, m, seed, float(m >= t * (1 + seed / 10) or t == 64), 1.0) for t in (8, 16, 32)
            for m in (8, 16, 32, 64) for seed in range(4)]  # fmt: skip
    rows += [(64, m, seed, 0.0, 1.0) for m in (8, 16, 32) for seed in range(4)]
    points = pd.DataFrame(rows, columns=["positions", "samples", "seed", "accuracy", "lean"])
    found = scaling.summarise(curve(points, 0.99, 100, generators([0])[0]))
    assert found["m64_above"] == 32
    assert "m64" not in found
    assert found["exponent"] == pytest.approx(1, abs=0.2)
