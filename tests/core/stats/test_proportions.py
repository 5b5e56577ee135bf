import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, wilcoxon

from pipeline.core.stats.proportions import paired_p_value, proportion


@given(n=st.integers(1, 60), data=st.data())
def test_the_interval_is_clopper_and_pearsons(n, data):
    k = data.draw(st.integers(0, n))
    found = proportion("hit", torch.arange(n) < k)
    assert found["n"] == n
    assert found["hit"] == k / n
    low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    # scipy finds the same bounds by root finding, to 1e-9 or better.
    assert found["hit_low"] == pytest.approx(low, abs=1e-8)
    assert found["hit_high"] == pytest.approx(high, abs=1e-8)


def test_all_ties_are_no_difference():
    values = torch.tensor([0.9, 0.95, 1.0]).double()
    for ties in ("split", "dropped"):
        assert paired_p_value(values, values, ties=ties) == 1.0


def test_a_clear_difference_has_the_exact_signed_rank_probability():
    first = torch.arange(1.0, 9.0).double()
    # All 8 differences positive and distinct: 2 / 2^8.
    assert paired_p_value(first, -first / 3, ties="split") == pytest.approx(2 / 2**8, rel=1e-12)


def test_the_order_of_the_two_does_not_matter_and_ties_are_kept():
    first = torch.tensor([0.9, 0.8, 1.0, 0.7, 0.9, 0.95, 0.85, 0.6]).double()
    second = torch.tensor([0.9, 0.9, 0.9, 0.6, 0.8, 0.95, 0.7, 0.65]).double()
    p = paired_p_value(first, second, ties="split")
    assert p == pytest.approx(paired_p_value(second, first, ties="split"), rel=1e-12)
    rounded = (first - second).round(decimals=12).numpy()
    dropped = paired_p_value(first, second, ties="dropped")
    assert dropped == pytest.approx(wilcoxon(rounded[rounded != 0]).pvalue, rel=1e-12)
    assert p > dropped
