import numpy as np
import pytest

from figures.oscillator.made import DT, left_titles, rollouts, shape, training, windows
from pipeline.figures.oscillator import study as drawing
from pipeline.figures.oscillator.study import STUDY_CLAIM
from pipeline.labs.oscillator.data.fixed import FixedDataConfig
from pipeline.labs.oscillator.train.studies import FixedTrainConfig, VariableTrainConfig

SURROGATE = {
    "r2_score": 0.98765, "r2_score_increment": 0.4321, "valid_imitation_time": 17.0, "n": 3,
}  # fmt: skip
FIXED = ("gamma_0", "gamma_0.1", "gamma_0_study", "gamma_0.1_study")
VARIABLE = {"small": shape(2, 2, 1, True), "middle": shape(8, 4, 2), "big": shape()}
COMPARED = ("attention", "linear", "linear_gradient", "surrogate", "dmd")
FIXED_DATA = FixedDataConfig(
    omega0=2.25, gammas=(0.0, 0.1), energy_train=1.5, energy_valid=4.5, train=4, test=4,
    test_steps=12, seed=0,
)  # fmt: skip
FIXED_TRAIN = FixedTrainConfig(
    seeds=(0, 1, 2, 3), model=shape(2, 2, 1, True), training=training(),
    other_recipes={"study": training("float32", "constant")},
)  # fmt: skip
VARIABLE_TRAIN = VariableTrainConfig(
    seeds=(0, 1), members_per_cell=1, loss="sequence", training=training(), models=VARIABLE,
    register_as="name",
)  # fmt: skip


@pytest.fixture
def draws(style):
    return {
        "fixed": lambda: drawing.fixed(style, rollouts(FIXED), FIXED_DATA, FIXED_TRAIN, DT),
        "variable": lambda: drawing.variable(
            style, rollouts(VARIABLE), windows(), VARIABLE_TRAIN, DT
        ),
        "compared": lambda: drawing.compared(style, rollouts(COMPARED), SURROGATE, DT),
    }


@pytest.mark.parametrize(("name", "count"), [("fixed", 8), ("variable", 12), ("compared", 4)])
def test_a_figure_has_the_study_s_panels_all_labelled(draws, assert_labelled, name, count):
    figure = draws[name]()
    assert len(figure.axes) == count
    assert_labelled(figure)
    assert len(figure.legends) == 1


@pytest.mark.parametrize("name", ["fixed", "variable", "compared"])
def test_the_same_numbers_are_the_same_bytes(draws, assert_same_bytes, name):
    assert_same_bytes(draws[name])


@pytest.mark.parametrize(
    ("name", "panels", "models"), [("fixed", 2, 2), ("variable", 3, 1), ("compared", 1, 5)]
)
def test_every_error_has_its_band_over_seeds(draws, bands, name, panels, models):
    shaded = [len(bands(axes)) for axes in draws[name]().axes]
    assert sorted(shaded, reverse=True)[:panels] == [models] * panels
    assert sum(shaded) == panels * models


def test_o3_s_title_is_made_of_its_params(draws):
    title = draws["fixed"]().get_suptitle()
    for words in ("1 layer of (2, 2)", "= 2.25 rad/s", "energies of 1.5 to 4.5", "4 seeds"):
        assert words in title


def test_o3_draws_a_row_for_each_damping_with_all_its_recipes_and_the_claim(draws):
    figure = draws["fixed"]()
    titles = left_titles(figure)
    assert [titles[k] for k in (0, 4)] == [r"$\gamma$ = 0 1/s", r"$\gamma$ = 0.1 1/s"]
    assert [titles[k] for k in (2, 6)] == ["seed 10", "seed 11"]
    data = rollouts(FIXED)
    for panel, mine in ((figure.axes[3], (0, 2)), (figure.axes[7], (1, 3))):
        labels = panel.get_legend_handles_labels()[1]
        assert labels == [
            "float64, cosine rate", "float32, constant rate (study)", "study's claim, 0.0001",
        ]  # fmt: skip
        assert set(panel.lines[-1].get_ydata()) == {STUDY_CLAIM}
        for line, k in zip(panel.lines[:2], mine, strict=True):
            np.testing.assert_array_equal(line.get_ydata(), data.error[k, 0])


def test_o5_draws_a_row_for_each_model_called_by_its_shape(draws):
    figure = draws["variable"]()
    titles = left_titles(figure)
    assert [titles[k] for k in (0, 4, 8)] == [
        "causal mask, 1 layer of (2, 2)", "no mask, 2 layers of (8, 4)",
        "no mask, 8 layers of (32, 16)",
    ]  # fmt: skip
    assert [titles[k] for k in (2, 6, 10)] == ["seed 10", "seed 11", "seed 12"]
    for words in ("from 1.5 to 3.5 rad/s", "window of 23 states", "2 seeds"):
        assert words in figure.get_suptitle()


def test_o6_draws_the_error_of_every_model_and_the_states_of_three_in_one_colour_each(draws):
    position, momentum, error, phase = draws["compared"]().axes
    drawn = ["attention (best)", "linear, normal equation", "linear surrogate of attention"]
    assert error.get_legend_handles_labels()[1] == [
        *drawn, "linear, gradient descent", "in-context DMD (oracle)",
    ]  # fmt: skip
    for panel in (position, momentum, phase):
        assert panel.get_legend_handles_labels()[1] == ["exact", *drawn]
    colours = {line.get_label(): line.get_color() for line in error.lines}
    for line in position.lines[1:]:
        assert line.get_color() == colours[line.get_label()]


def test_o6_says_its_verdict_in_numbers_and_its_seeds(draws):
    figure = draws["compared"]()
    for number in ("0.9877", "0.432", "after 17 steps", "3 seeds"):
        assert number in figure.get_suptitle()
    assert left_titles(figure)[0] == (
        "shown: seed 10 of attention (best), seed 10 of linear surrogate of attention"
    )
