import numpy as np
import pandas as pd
import pytest

from figures.conjunction.test_names import curve
from pipeline.figures.conjunction.scaling import ablation, scaling
from pipeline.labs.conjunction.train.curves import SearchConfig
from pipeline.labs.conjunction.train.early_stopping import EarlyStopConfig

SEARCH = SearchConfig(
    function="sparse_and", targets=3, threshold=0.985, valid=200, stop_below=0.25, stop_above=0.75,
    early_stop=EarlyStopConfig(every=50, accuracy=0.998, loss=0.001),
)  # fmt: skip
ABOUT = "98.5 % median accuracy, AND of 3 of $T$ bits"
EXPONENTS = {"elimination": 0.25, "mlp": 0.75, "mine": 0.3, "ablated_tutorial": 1.0}
VARIANTS = {name: curve() for name in ("tutorial", "bias", "mine")}


def complexity(learners):
    most = {16: 30.0, 32: 60.0, 64: np.nan}
    rows = [
        (n, t, 4 * t**0.5, 3 * t**0.5, 5 * t**0.5, most[t], 0.8 * most[t], 1.5 * most[t])
        for n in learners
        for t in (16, 32, 64)
    ]
    names = ["learner", "positions", "samples", "low", "high", "most", "most_low", "most_high"]
    return pd.DataFrame(rows, columns=names)


def fits(learners, fitted=3, seeds=8):
    rows = [
        (n, e, e - 0.1, e + 0.1, 0.1, 8.0, 0.2, -0.1, -0.2, 0.1, seeds + k, 3, fitted)
        for k, (n, e) in enumerate(learners.items())
    ]
    names = ["learner", "exponent", "exponent_low", "exponent_high", "power_law_rms"]
    names += ["samples_per_doubling", "logarithm_rms", "logarithm_lead", "logarithm_lead_low"]
    names += ["logarithm_lead_high", "seeds", "searched", "fitted"]
    return pd.DataFrame(rows, columns=names)


def drawn_scaling(style):
    return scaling(style, complexity(EXPONENTS), fits(EXPONENTS), SEARCH)


def drawn_ablation(style, fitted=3, seeds=8):
    exponents = {"mlp": 0.7} | {f"ablated_{n}": 0.2 * k for k, n in enumerate(VARIANTS)}
    table = fits(exponents, fitted, seeds)
    return ablation(style, complexity(exponents), table, SEARCH, VARIANTS)


def test_the_titles_say_what_is_needed_for_what(style):
    assert f"Samples needed for {ABOUT}" in drawn_scaling(style).get_suptitle()
    title = drawn_ablation(style).get_suptitle()
    assert f"samples for {ABOUT}" in title
    assert "bootstrap over 9 to 11 seeds" in title
    assert "hollow" not in title
    assert "hollow: a $T$ lies beyond the search" in drawn_ablation(style, 2).get_suptitle()


def test_curves_carry_their_names_exponents_and_seeds(style):
    figure = drawn_scaling(style)
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert labels == [
        "elimination: $T^{0.25}$ [0.15, 0.35], n = 8",
        "MLP: $T^{0.75}$ [0.65, 0.85], n = 9",
        "mine: $T^{0.30}$ [0.20, 0.40], n = 10",
        "the tutorial's attention: $T^{1.00}$ [0.90, 1.10], n = 11",
    ]
    for container in figure.axes[0].containers:
        assert list(container[0].get_xdata()) == [16, 32, 64]
        assert list(container[0].get_ydata()) == pytest.approx([16, 4 * 32**0.5, 32])
        ends = [segment[:, 1].tolist() for segment in container[2][0].get_segments()]
        assert ends[0] == pytest.approx([12, 20])


def test_learners_of_small_exponent_stand_beside_the_logarithm(style):
    right = drawn_scaling(style).axes[1]
    assert right.get_title(loc="left").startswith("exponents below 0.5")
    assert right.get_legend_handles_labels()[1] == [
        "elimination: 8.0 a doubling",
        "mine: 8.0 a doubling",
    ]
    assert right.get_yscale() == "linear"
    # Each learner's curve, and what nine seeds in ten need where it is known.
    assert len(right.containers) == 4
    assert list(right.containers[1][0].get_xdata()) == [16, 32]
    assert list(right.containers[1][0].get_ydata()) == [30, 60]


def test_variants_but_the_tutorial_are_left_to_their_own_figure(style):
    exponents = EXPONENTS | {"ablated_bias": 0.9, "added_l1": 0.9, "perfect_s2": 0.9}
    figure = scaling(style, complexity(exponents), fits(exponents), SEARCH)
    assert len(figure.axes[0].containers) == 4


def test_every_variant_has_its_curve_and_its_exponent(style):
    figure = drawn_ablation(style)
    left, right = figure.axes
    assert left.get_legend_handles_labels()[1] == [
        "as in the tutorial", "a bias in the logit", "mine",
    ]  # fmt: skip
    assert [t.get_text() for t in right.get_yticklabels()] == [
        "as in the tutorial", "a bias in the logit", "mine",
    ]  # fmt: skip
    middles = [float(bar[0].get_xdata()[0]) for bar in right.containers]
    assert middles == pytest.approx([0.0, 0.2, 0.4])
    ends = right.containers[1][2][0].get_segments()[0][:, 0]
    assert ends.tolist() == pytest.approx([0.1, 0.3])


@pytest.mark.parametrize(("fitted", "face"), [(3, False), (2, True)])
def test_an_exponent_without_all_its_t_is_hollow(style, fitted, face):
    bars = drawn_ablation(style, fitted).axes[1].containers
    assert {bar[0].get_markerfacecolor() == "white" for bar in bars} == {face}


def test_without_any_points_the_axes_stay_empty(style):
    names = ["exponent", "exponent_low", "exponent_high", "samples_per_doubling"]
    nothing = fits(EXPONENTS).assign(**dict.fromkeys(names, np.nan))
    figure = scaling(style, complexity([]), nothing, SEARCH)
    figure.draw_without_rendering()
    assert figure.axes[0].get_xlabel()
    assert figure.axes[0].get_legend_handles_labels()[1][0] == ("elimination, n = 8")
    variants = fits(dict.fromkeys([f"ablated_{n}" for n in VARIANTS], np.nan), 0)
    ablation(style, complexity([]), variants, SEARCH, VARIANTS).draw_without_rendering()


def test_every_axis_is_named(style, assert_named):
    assert_named(drawn_scaling(style))
    assert_named(drawn_ablation(style))
