import pandas as pd
import pytest

from pipeline.figures.energy.overlaps import overlaps

LOADS = (0.1, 0.13, 0.15)
THEORY = pd.DataFrame({"load": [0.05, 0.1379], "overlap": [1.0, 0.97]})
RESULTS = {
    "theory": {"critical_load": 0.13791, "overlap": 0.967},
    "crossing_d40_d80": {
        "critical_load": 0.12, "critical_load_low": 0.11, "critical_load_high": 0.13, "n": 12,
    },
    "crossing_d80_d160": {
        "critical_load": 0.1367, "critical_load_low": 0.13, "critical_load_high": 0.14, "n": 8,
    },
}  # fmt: skip


def curves():
    conditions = [("asynchronous", False, d) for d in (40, 80, 160)]
    conditions += [
        ("asynchronous", True, 40),
        ("synchronous", False, 40),
        ("synchronous", True, 40),
    ]
    rows = [
        {"dynamics": dynamics, "diagonal": diagonal, "d": d, "load": load,
         "overlap": 1 - load - d / 1000, "low": 0.9 - load - d / 1000, "high": 1 - d / 1000,
         "mean": 0.99 - load - k / 100, "retrieved": 1 - 2 * load - d / 1000, "uphill": 0.0,
         "two_cycle": 0.0, "n": 4 if load == 0.1 else 16}
        for k, (dynamics, diagonal, d) in enumerate(conditions)
        for load in LOADS
    ]  # fmt: skip
    return pd.DataFrame(rows)


def drawn(style):
    return overlaps(style, curves(), THEORY, RESULTS, 0.7)


def line(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def test_the_title_quotes_the_largest_pair_and_the_theory(style):
    title = drawn(style).get_suptitle()
    assert "0.1367 [0.1300, 0.1400] (d = 80 and 160, 8 draws)" in title
    assert "mean-field theory 0.1379" in title


def test_each_size_is_a_band_beside_the_theory(style, bands, assert_labelled):
    figure = drawn(style)
    left, middle, _ = figure.axes
    for d, outline in zip((40, 80, 160), bands(left), strict=True):
        assert line(left, f"d = {d}").get_ydata().tolist() == pytest.approx(
            [1 - load - d / 1000 for load in LOADS]
        )
        assert outline[:, 1].max() == pytest.approx(1 - d / 1000)
        assert outline[:, 1].min() == pytest.approx(0.75 - d / 1000)
        assert line(middle, f"d = {d}").get_ydata().tolist() == pytest.approx(
            [1 - 2 * load - d / 1000 for load in LOADS]
        )
    assert line(left, "mean field").get_ydata().tolist() == [1.0, 0.97]
    assert left.get_title() == "median of 4 to 16 draws, interval"
    assert middle.get_title() == "retrieved: m > 0.7"
    (span,) = (p for p in middle.patches if p.get_label() == "crossing of d = 80 and 160")
    assert (span.get_x(), span.get_x() + span.get_width()) == pytest.approx((0.13, 0.14))
    assert_labelled(figure)


def test_the_four_dynamics_are_compared_at_the_size_that_has_them(style):
    right = drawn(style).axes[2]
    assert right.get_title() == "four dynamics at d = 40"
    for label, k in (
        ("asynchronous, no diagonal", 0), ("asynchronous, diagonal kept", 3),
        ("synchronous, no diagonal", 4), ("synchronous, diagonal kept", 5),
    ):  # fmt: skip
        assert line(right, label).get_ydata().tolist() == pytest.approx(
            [0.99 - load - k / 100 for load in LOADS]
        )


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: drawn(style))
