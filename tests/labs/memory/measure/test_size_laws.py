import pytest
import torch

from pipeline.labs.memory.measure import size_laws

X = torch.tensor([2.0, 4.0, 8.0, 16.0, 32.0])
EXACT = 1e-9  # logarithms and fits of five points of order 1 in float64


def test_a_power_law_has_its_exponent_at_both_ends_and_no_error():
    law = size_laws.along(X, torch.stack([3 * X.double() ** -0.5, X.double() ** 2]))
    for exponents in (law.exponent, law.first_exponent, law.last_exponent):
        assert exponents.tolist() == pytest.approx([-0.5, 2.0], abs=EXACT)
    assert law.power_error.tolist() == pytest.approx([0, 0], abs=EXACT)
    assert bool((law.exponential_error > 0.01).all())
    assert bool((law.logarithmic_error > 0.01).all())


def test_an_exponential_is_fitted_by_its_own_form_and_bends():
    law = size_laws.along(X, torch.exp(-0.1 * X.double())[None])
    assert float(law.exponential_error[0]) == pytest.approx(0, abs=EXACT)
    assert float(law.power_error[0]) > 0.01
    assert float(law.last_exponent[0]) < float(law.first_exponent[0])


def test_a_logarithm_is_fitted_by_its_own_form():
    law = size_laws.along(X, (5 - X.double().log())[None])
    assert float(law.logarithmic_error[0]) == pytest.approx(0, abs=EXACT)
    assert float(law.power_error[0]) > 0.01


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:3], torch.ones(1, 3), "needs 4 points or more, got 3"),
        (X, torch.zeros(1, 5), "sizes and losses above 0"),
        (X - 2, torch.ones(1, 5), "sizes and losses above 0"),
    ],
)
def test_what_has_no_law_is_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        size_laws.along(x, y)
