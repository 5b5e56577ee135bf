import pytest
import torch
from scipy.stats import wilcoxon

from pipeline.labs.conjunction.measure.paired import paired_p_value


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
