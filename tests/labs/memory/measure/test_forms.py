import pytest
import torch

from pipeline.labs.memory.measure.forms import forms, left_out_error

X = torch.arange(5.0, 16.0, dtype=torch.float64)
CURVES = {
    "line": 0.1 + 0.02 * X,
    "quadratic": 0.1 - 0.02 * X + 0.01 * X**2,
    "cubic": 1e-3 * (X - 9) ** 3,
    "power": 0.2 * X**1.7,
    "shifted_power": 0.3 + 0.2 * X**0.6,
    "saturating": 1 - (-X / (0.25 * 1.25**12)).exp(),
    "joined_lines": 0.1 * X.clamp(max=10),
}


@pytest.mark.parametrize("name", CURVES)
def test_a_form_bridges_its_own_curve(name):
    # A form's own candidate is among those searched: what is left is float64's rounding.
    assert left_out_error(forms(X)[name], X, CURVES[name]) < 1e-9


def test_every_form_has_a_curve_that_tells_it():
    assert forms(X).keys() == CURVES.keys()


def test_a_wrong_form_misses_the_sizes_left_out():
    assert left_out_error(forms(X)["line"], X, CURVES["joined_lines"]) > 0.05
    assert left_out_error(forms(X)["joined_lines"], X, CURVES["quadratic"]) > 1e-3


def test_repeated_sizes_are_left_out_together():
    twice, noisy = X.repeat(2), torch.cat([CURVES["line"] - 0.1, CURVES["line"] + 0.1])
    assert left_out_error(forms(X)["line"], twice, noisy) == pytest.approx(0.1, abs=1e-9)
