import pandas as pd
import pytest
import torch

from pipeline.labs.memory.report import rivals

H = torch.tensor([1.0, 6.0, 11.0, 16.0] * 2)
WOBBLE = torch.tensor([1.0, -1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0]) * 1e-3  # no trend of any order


def runs(curve, sizes=range(1, 11), seeds=3):
    return pd.DataFrame(
        [
            {"seed": s, "d_head": x, "accuracy": curve(x) + 0.01 * s}
            for s in range(seeds)
            for x in sizes
        ]
    )


def test_a_parabola_is_worse_bridged_by_a_line_alone():
    errors = rivals.compared_forms(runs(lambda x: 0.1 + 0.01 * x**2), "d_head", "quadratic")
    assert errors["n"] == 3
    # Exact forms are left with rounding; a power of 2 with a constant is this parabola too.
    for name in ("quadratic", "cubic", "shifted_power"):
        assert errors[f"error_{name}"] < 1e-9
    assert errors["worse_line_low"] > 0.01
    assert errors["worse_power_low"] > 0
    assert abs(errors["worse_cubic"]) < 1e-9
    assert "worse_quadratic" not in errors


def test_too_few_sizes_have_no_rivals():
    assert rivals.compared_forms(runs(lambda x: x, range(6)), "d_head", "quadratic") == {}


def test_a_line_has_no_curvature():
    found = rivals.curvature(H, 0.1 + 0.02 * H + WOBBLE)
    assert found["is_line"] == 1
    assert found["curvature_low"] < 0 < found["curvature_high"]
    assert abs(found["bend"]) < 0.01  # the wobble is 0.3 % of the rise


def test_a_rise_that_ends_flat_is_bent_by_a_quarter():
    found = rivals.curvature(H, -((H - 16) ** 2) / 225 + WOBBLE)
    assert found["is_line"] == 0
    assert found["curvature_high"] < 0
    # (1/2)^2 of the way from the top at half the range: 3/4 of the rise instead of 1/2.
    assert found["bend"] == pytest.approx(-0.25, abs=0.01)


def test_two_numbers_of_heads_have_no_curvature():
    assert rivals.curvature(H[:2], H[:2]) == {}


def test_the_share_of_lines_is_over_the_widths_that_were_judged():
    told = {"a": {"is_line": 1.0}, "b": {"is_line": 0.0}, "c": {}}
    assert rivals.lines_hold(told) == {"share_of_lines": 0.5, "n": 2}
    assert rivals.lines_hold({"c": {}}) == {}


D = torch.arange(3, 14)


def test_one_power_has_one_exponent_in_both_halves():
    noise = 1 + 1e-3 * (-1.0) ** D
    found = rivals.local_exponents(D, 0.01 * D**2.5 * noise)
    assert found["exponent_lower_half"] == pytest.approx(2.5, abs=0.01)
    assert found["exponent_upper_half"] == pytest.approx(2.5, abs=0.01)
    assert (found["is_power"], found["middle"]) == (1, 8)


def test_a_curve_that_flattens_is_not_one_power():
    found = rivals.local_exponents(D, D.double() ** 3 / (1 + D / 10))
    assert found["exponent_lower_half"] > found["exponent_upper_half_high"]
    assert (found["is_power"], found["bend"] < 0) == (0, True)
    assert rivals.local_exponents(D[:6], D[:6]) == {}
