import pandas as pd
import pytest
import torch

from labs.memory.report.test_points import rows
from pipeline.labs.memory.report import fits as report

CONFIG = report.MeasureConfig(saturated=0.9, resamples=20, random_draws=1)


def fits(*parts):
    table = pd.DataFrame([row for part in parts for row in part])
    return report.fitted(table, CONFIG, torch.Generator().manual_seed(0))


NOISE = (-1e-3, 1e-3, 2e-3, -2e-3, 0.0, 1e-3, -1e-3, 2e-3)


def rising(d, slope, n_heads=(1, 6, 11, 16)):
    return [
        row
        for H in n_heads
        for row in rows("P1", [0.1 + slope * H, 0.1 + slope * H], d=d, d_head=d, n_heads=H)
    ]


def test_slopes_in_heads_and_their_growth_are_found():
    fit = fits(*(rising(d, 0.001 * d**1.5) for d in (3, 4, 5, 6)))
    for d in (3, 4, 5, 6):
        own = fit[f"P1.linear_d{d}"]
        # Exact lines: only rounding is left.
        assert own["slope"] == pytest.approx(0.001 * d**1.5, abs=1e-12)
        assert own["intercept"] == pytest.approx(0.1, abs=1e-12)
        assert own["slope_low"] <= own["slope"] <= own["slope_high"]
    assert fit["P4.slope_growth"]["exponent"] == pytest.approx(1.5, abs=1e-9)
    assert fit["P4.slope_growth"]["n"] == 4


def test_slopes_that_do_not_rise_are_no_part_of_the_growth():
    straight = [rising(d, 0.001 * d**1.5) for d in (3, 4, 5)]
    with_falling = fits(*straight, rising(6, -0.002), rising(7, -0.001))
    assert with_falling["P1.linear_d6"]["slope"] == pytest.approx(-0.002, abs=1e-12)
    assert with_falling["P4.slope_growth"]["n"] == 3
    assert with_falling["P4.slope_growth"]["exponent"] == pytest.approx(1.5, abs=1e-9)
    # Nor is one that may be of rounding, or of noise, alone.
    flat = [row | {"accuracy": 0.1 + noise} for row, noise in zip(rising(8, 0), NOISE, strict=True)]
    assert fits(*straight, flat)["P1.linear_d8"]["slope"] > 0
    assert fits(*straight, flat)["P4.slope_growth"]["n"] == 3
    # Two slopes have no exponent with an interval.
    assert "P4.slope_growth" not in fits(*straight[:2], rising(6, -0.002))


def test_saturated_points_and_sampled_accuracies_bend_no_line():
    own = rising(4, 0.01) + rows("P1", [1.0, 1.0], d=4, d_head=4, n_heads=100)
    own += [row | {"eval_distribution": "train", "accuracy": 0.5} for row in own]
    line = fits(own)["P1.linear_d4"]
    assert line["slope"] == pytest.approx(0.01, abs=1e-12)
    # What is counted is what was fitted: two seeds at four numbers of heads.
    assert (line["n"], line["n_saturated"]) == (8, 2)


def test_p7_has_slopes_of_its_own_over_its_one_layer_models():
    flat = [row | {"experiment": "P7", "N": 200} for row in rising(40, 0.02)]
    deep = [row | {"n_layers": 3, "accuracy": 0.0} for row in flat]
    assert fits(flat, deep)["P7.linear_d40"]["slope"] == pytest.approx(0.02, abs=1e-12)


def test_too_few_points_have_no_fit():
    assert fits(rows("P1", [0.5, 0.5])) == {}


def test_the_quadratic_in_the_heads_width_is_beside_its_line():
    own = [row for k in (1, 2, 3, 4, 5) for row in rows("P2", [0.1 + 0.01 * k**2] * 2, d_head=k)]
    fit = fits(own)["P2.quadratic"]
    assert fit["quadratic"] == pytest.approx(0.01, abs=1e-12)
    assert fit["linear"] == pytest.approx(0, abs=1e-12)
    assert fit["constant"] == pytest.approx(0.1, abs=1e-12)
    assert fit["r2_of_a_line"] < fit["r2"] == pytest.approx(1)


def test_a_model_of_equal_widths_bends_no_fit_of_the_others():
    def wide(d, accuracy):
        return rows("P3", [accuracy] * 3, d=d)

    narrow = [row for k in range(1, 10) for row in rows("P2", [0.01 * k**2] * 2, d_head=k)]
    narrow += rows("P2", [0.9, 0.9], d_head=10)
    own = [row for d in range(5, 16) for row in wide(d, 0.9 if d == 10 else 0.04 * d)]
    fit = fits(narrow, own)
    assert fit["P2.quadratic_mapped"]["quadratic"] == pytest.approx(0.01, abs=1e-12)
    assert fit["P2.quadratic_mapped"]["n"] == 18
    assert fit["P2.quadratic"]["n"] == 20
    assert fit["P2.quadratic"]["quadratic"] != pytest.approx(0.01, abs=1e-4)
    # Without the model of equal widths there is no break: one slope on both sides.
    for slope in ("slope_before", "slope_after"):
        assert fit["P3.piecewise_mapped"][slope] == pytest.approx(0.04, abs=1e-12)
    assert fit["P3.piecewise"]["slope_after"] < 0.02


def test_the_break_in_the_width_has_the_interval_of_resampled_seeds():
    def own(breaks):
        # Seeds side by side at each width, as the tables have them.
        return [
            row
            for d in range(5, 16)
            for row in rows("P3", [0.05 * min(d, place) for place in breaks], d=d)
        ]

    alike = fits(own((10, 10, 10)))["P3.piecewise"]
    assert (
        alike["breakpoint"],
        alike["breakpoint_low"],
        alike["breakpoint_high"],
    ) == pytest.approx((10, 10, 10))
    assert alike["slope_before"] == pytest.approx(0.05, abs=1e-12)
    assert alike["slope_after"] == pytest.approx(0, abs=1e-12)
    apart = fits(own((8, 10, 12)))["P3.piecewise"]
    assert 8 <= apart["breakpoint_low"] < apart["breakpoint"] < apart["breakpoint_high"] <= 12


def test_fits_come_back_from_their_long_table():
    done = fits(*(rising(d, 0.001 * d**1.5) for d in (3, 4, 5, 6)))
    assert report.from_long_table(report.long_table(done)) == done
    assert list(report.long_table({})) == ["fit", "quantity", "value"]
