import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.labs.conjunction.measure.sample_complexity import SampleComplexity
from pipeline.labs.conjunction.measure.scaling_fits import fit, power_law

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
