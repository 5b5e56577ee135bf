import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.labs.conjunction.measure.sample_complexity import SampleComplexity
from pipeline.labs.conjunction.measure.scaling_fits import (
    fit,
    local_slopes,
    logarithm,
    power_law,
    ratios,
)

T = np.array([16.0, 32, 64, 128])


def needing(samples, spread=0.0):
    """Sample complexities at T, resampled within a relative spread."""
    resampled = 1 + spread * np.linspace(-1, 1, 101)
    return [
        SampleComplexity(positions=int(t), samples=float(m), resampled=m * resampled)
        for t, m in zip(T, samples, strict=True)
    ]


@given(exponent=st.floats(-1, 2), scale=st.floats(0.1, 100))
def test_a_power_law_is_recovered(exponent, scale):
    [slope], [intercept] = power_law(T, (scale * T**exponent)[None])
    # Logarithms of order 10, rounded, over a spread of log T of 2.
    assert float(slope) == pytest.approx(exponent, abs=1e-12)
    assert float(intercept) == pytest.approx(np.log(scale), abs=1e-11)


@given(a=st.floats(1, 50), b=st.floats(0.5, 30))
def test_a_logarithm_is_recovered_and_told_from_a_power(a, b):
    logarithm = fit(needing(a + b * np.log2(T)))
    assert logarithm.samples_per_doubling == pytest.approx(b, rel=1e-8)
    assert logarithm.logarithm_rms < 1e-8
    power = fit(needing(2 * T**0.9))
    assert power.power_law_rms < 1e-12
    assert power.logarithm_rms > 0.05
    assert power.exponent == pytest.approx(0.9, rel=1e-12)


def test_the_interval_is_the_quantiles_of_the_exponents_over_resamples():
    needed = needing(T)
    # Resample k needs T^(k / 100): its exponent is k / 100.
    needed = [
        SampleComplexity(
            positions=each.positions, samples=each.samples,
            resampled=each.positions ** np.linspace(0, 1, 101),
        )
        for each in needed
    ]  # fmt: skip
    scaling = fit(needed)
    assert scaling.exponent_low == pytest.approx(0.025, abs=1e-12)
    assert scaling.exponent_high == pytest.approx(0.975, abs=1e-12)


def test_a_t_beyond_the_search_is_left_out_and_one_point_is_no_fit():
    samples = 2 * T**0.9
    samples[2:] = np.nan
    assert fit(needing(samples)).exponent == pytest.approx(0.9, rel=1e-12)
    samples[1:] = np.nan
    assert fit(needing(samples)) is None


def resampled_by(by_t, positions=T):
    """Sample complexities whose resample k needs ``by_t(T, k)``, k from 0 to 1."""
    k = np.linspace(0, 1, 101)
    return [
        SampleComplexity(positions=int(t), samples=by_t(t, 0.5), resampled=by_t(t, k))
        for t in positions
    ]


@given(a=st.floats(1, 50), b=st.floats(0.5, 30), noise=st.lists(st.floats(0.8, 1.2), min_size=4))
def test_the_logarithm_is_the_least_squares_of_the_relative_error(a, b, noise):
    samples = (a + b * np.log2(T)) * np.array(noise[:4])
    design = np.stack([np.log2(T), np.ones(4)], axis=1) / samples[:, None]
    expected = np.linalg.lstsq(design, np.ones(4), rcond=None)[0]
    found = np.concatenate(logarithm(T, samples[None]))
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_the_difference_of_the_laws_decides_which_holds():
    spread = np.exp(0.002 * np.sin(np.outer(np.arange(101), np.arange(1, 5))))
    for law, sign in ((lambda t: 5 * np.log2(t) - 10, 1), (lambda t: t**0.9, -1)):
        needed = [
            SampleComplexity(positions=int(t), samples=law(t), resampled=law(t) * spread[:, k])
            for k, t in enumerate(T)
        ]
        scaling = fit(needed)
        assert scaling.logarithm_lead == scaling.power_law_rms - scaling.logarithm_rms
        assert sign * scaling.logarithm_lead > 0
        assert min(sign * scaling.logarithm_lead_low, sign * scaling.logarithm_lead_high) > 0
    # Between both laws, with as much noise as tells them apart: open.
    noisy = np.exp(0.3 * np.sin(np.outer(np.arange(101), np.arange(1, 5))))
    scaling = fit(
        [
            SampleComplexity(positions=int(t), samples=t**0.3, resampled=t**0.3 * noisy[:, k])
            for k, t in enumerate(T)
        ]
    )
    assert scaling.logarithm_lead_low < 0 < scaling.logarithm_lead_high


def test_a_power_law_has_one_slope_and_a_convex_curve_grows_steeper():
    slopes = local_slopes(resampled_by(lambda t, k: t ** (0.5 + k)))
    assert slopes["slope_T16_T32"] == pytest.approx(1.0, abs=1e-12)
    assert slopes["slope_T64_T128_low"] == pytest.approx(0.525, abs=1e-12)
    assert slopes["slope_T64_T128_high"] == pytest.approx(1.475, abs=1e-12)
    assert slopes["slope_change"] == pytest.approx(0, abs=1e-12)
    convex = local_slopes(resampled_by(lambda t, k: np.exp((0.1 + 0.1 * k) * np.log2(t) ** 2)))
    # log m = c x^2 with x = log2 T: the slope of a step from x is c (2 x + 1) / log 2.
    assert convex["slope_T16_T32"] == pytest.approx(0.15 * 9 / np.log(2), rel=1e-12)
    assert convex["slope_change"] == pytest.approx(0.15 * 4 / np.log(2), rel=1e-12)
    assert convex["slope_change_low"] > 0
    assert local_slopes(resampled_by(lambda t, k: t + k, [16])) == {}
    assert "slope_change" not in local_slopes(resampled_by(lambda t, k: t + k, [16, 32]))


def test_ratios_are_taken_where_both_are_known():
    some = resampled_by(lambda t, k: 2 * t + 0 * k, [16, 32, 64])
    other = resampled_by(lambda t, k: t * (0.5 + k), [32, 64, 128])
    found = ratios(some, other)
    assert set(found) == {f"ratio_T{t}{end}" for t in (32, 64) for end in ("", "_low", "_high")}
    assert found["ratio_T32"] == pytest.approx(2, abs=1e-12)
    # Interpolated between resamples, which stand 1 % apart, of a curve: its bend is 1e-4.
    assert found["ratio_T32_low"] == pytest.approx(2 / 1.475, rel=1e-3)
