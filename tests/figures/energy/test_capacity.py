import pandas as pd
import pytest

from figures.energy.test_names import CRITERION
from pipeline.figures.energy.capacity import capacity
from pipeline.labs.energy.measure.capacity import DenseConfig, ExponentialConfig

DENSE = DenseConfig(
    seeds=(0, 1, 2),
    interactions={
        "square": {"power": 2, "dimensions": (32, 64)},
        "cube": {"power": 3, "dimensions": (16, 32)},
    },
    bit_error=0.01,
    factors=(0.7, 1.4),
    min_spins=4000,
    states=16,
    chunk=5,
)
EXPONENTIAL = ExponentialConfig(seeds=(0, 1, 2), chunk=5, criteria={"c": CRITERION})
CURVES = {("E2", "cube"): 2.1, ("E2", "square"): 1.1, ("E3", "c"): 0.4}
RESULTS = {
    experiment: {
        curve: {"exponent": slope, "exponent_low": slope - 0.1, "exponent_high": slope + 0.2,
                "n": 3, "theory": slope + (0.25 if curve == "c" else 0.1)}
        for (of, curve), slope in CURVES.items()
        if of == experiment
    }
    for experiment in ("E2", "E3")
}  # fmt: skip


def table():
    rows = [
        {"experiment": experiment, "curve": curve, "d": d, "log2_n": slope * k + 3,
         "low": slope * k + 2, "high": slope * k + 5, "theory": slope * k + 4,
         "theory_ties": slope * k + (3.5 if curve == "c" else 4), "n": 3}
        for (experiment, curve), slope in CURVES.items()
        for k, d in enumerate((16, 32))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def drawn(style):
    return capacity(style, table(), RESULTS, DENSE, EXPONENTIAL)


def test_the_title_says_how_far_the_furthest_exponent_is_from_theory(style):
    assert "within 0.25 of theory" in drawn(style).get_suptitle()


def test_each_curve_has_its_medians_interval_and_theory(style, assert_labelled):
    figure = drawn(style)
    left, right = figure.axes
    labels = [
        "a = 3: 2.10 [2.00, 2.30], theory 2.20",
        "a = 2: 1.10 [1.00, 1.30], theory 1.20",
        "all patterns stable in 50% of draws: 0.40 [0.30, 0.60], theory 0.65",
    ]
    containers = [*left.containers, *right.containers]
    theories = [
        line for axes in (left, right) for line in axes.lines
        if line.get_linestyle() == "--" and len(line.get_xdata())
    ]  # fmt: skip
    for container, theory, label, slope in zip(
        containers, theories, labels, CURVES.values(), strict=True
    ):
        assert container.get_label() == label
        middle, _, (bars,) = container.lines
        assert middle.get_ydata().tolist() == pytest.approx([8, 2 ** (slope + 3)])
        low, high = bars.get_segments()[0][:, 1]
        assert (low, high) == pytest.approx((4, 32))
        assert theory.get_ydata().tolist() == pytest.approx([16, 2 ** (slope + 4)])
    assert_labelled(figure)


def test_a_theory_with_ties_is_dotted_and_named(style):
    results = {name: dict(curves) for name, curves in RESULTS.items()}
    results["E3"]["c"] = {**RESULTS["E3"]["c"], "theory_ties": 0.42}
    figure = capacity(style, table(), results, DENSE, EXPONENTIAL)
    right = figure.axes[1]
    assert right.containers[0].get_label().endswith("theory 0.65\nwith ties 0.42")
    (dotted,) = [x for x in right.lines if x.get_linestyle() == ":" and len(x.get_xdata())]
    assert dotted.get_ydata().tolist() == pytest.approx([2**3.5, 2**3.9])


def test_titles_quote_the_seeds_and_the_bit_error_of_the_params(style):
    left, right = drawn(style).axes
    assert "bit error 0.01" in left.get_title()
    for axes in (left, right):
        assert axes.get_legend().get_title().get_text() == "exponent [interval over 3 seeds]"


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: drawn(style))
