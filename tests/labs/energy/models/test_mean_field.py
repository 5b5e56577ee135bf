import numpy as np
import pytest
from scipy.special import erf

from pipeline.labs.energy.models import mean_field


def residuals(load, m):
    """The three zero-temperature equations themselves (Amit et al. 1985), given load and m."""
    # r and C follow from m by iterating their own two equations.
    C = 0.0
    for _ in range(2000):
        r = 1 / (1 - C) ** 2
        C = np.sqrt(2 / (np.pi * load * r)) * np.exp(-(m**2) / (2 * load * r))
    return m - erf(m / np.sqrt(2 * load * r))


@pytest.mark.parametrize("load", [0.05, 0.1, 0.13, 0.137])
def test_the_overlap_solves_the_three_equations(load):
    m = mean_field.overlaps(np.array([load]))[0]
    # The root is found to about 1e-12; near the end of the branch the iteration amplifies it.
    assert abs(residuals(load, m)) < 1e-9


def test_the_critical_load_is_the_literatures_to_its_printed_digits():
    load, overlap = mean_field.critical_point()
    assert round(load, 3) == 0.138
    assert round(overlap, 2) == 0.97


def test_no_load_above_the_critical_one_has_a_retrieval_state():
    critical, m = mean_field.critical_point()
    below, above = mean_field.overlaps(np.array([critical - 1e-6, critical + 1e-6]))
    assert above == 0
    # Near its end the branch is a square root, of slope about sqrt(1e-6) = 1e-3.
    assert m < below < m + 0.01


def test_the_overlap_falls_with_the_load():
    loads = np.linspace(0.01, 0.137, 40)
    assert (np.diff(mean_field.overlaps(loads)) <= 0).all()


@pytest.mark.parametrize("load", [0.0, -0.1, np.nan, np.inf])
def test_a_load_that_is_not_positive_and_finite_is_refused(load):
    with pytest.raises(ValueError, match="loads must be > 0 and finite"):
        mean_field.overlaps(np.array([load]))
