import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.stats.regression import least_squares, piecewise_linear, polynomial


@given(a=st.floats(-5, 5), b=st.floats(-5, 5), c=st.floats(-5, 5))
@settings(max_examples=30, deadline=None)
def test_a_polynomial_is_found_again(a, b, c):
    x = torch.linspace(-1, 2, 9, dtype=torch.float64)
    fit = polynomial(x, a + b * x + c * x**2, 2)
    expected = torch.tensor([a, b, c], dtype=torch.float64)
    # A well conditioned system of three unknowns of order 5.
    torch.testing.assert_close(fit.values, expected, atol=1e-11, rtol=0)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    g = torch.Generator().manual_seed(0)
    x = torch.linspace(0, 1, 12, dtype=torch.float64)
    covered = 0
    for _ in range(400):
        fit = polynomial(x, 2 + 3 * x + torch.randn(12, generator=g, dtype=torch.float64), 1)
        covered += bool(fit.low[1] <= 3 <= fit.high[1])
    # Binomial(400, 0.95): 380 with a standard deviation of 4.4; four of them either side.
    assert 362 <= covered <= 397


def test_joined_lines_are_found_again():
    x = torch.arange(5, 16, dtype=torch.float64)
    y = 1 + 0.5 * (x - 9).clamp(max=0) + 0.1 * (x - 9).clamp(min=0)
    place, fit = piecewise_linear(x, y, torch.linspace(6, 14, 81, dtype=torch.float64))
    assert place == pytest.approx(9, abs=1e-9)
    expected = torch.tensor([1, 0.5, 0.1], dtype=torch.float64)
    torch.testing.assert_close(fit.values, expected, atol=1e-10, rtol=0)


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match="needs more points than 2"):
        least_squares(torch.ones(2, 2), torch.ones(2))


def test_no_candidate_break_is_refused():
    with pytest.raises(ValueError, match="candidate"):
        piecewise_linear(torch.ones(5), torch.ones(5), torch.ones(0))
