import numpy as np
import pytest

from pipeline.figures.oscillator import rollouts as drawing
from pipeline.figures.oscillator.rollouts import NAMES, Rollouts
from pipeline.figures.style import FLOOR, TRUTH

STEPS, DT = 12, 0.1
TIME = DT * np.arange(1, STEPS + 1)


def rollouts(names):
    """Return a rotation, models that lag behind it, and errors that grow."""
    lag = 0.1 * np.arange(len(names))[:, None]
    true = np.stack([np.cos(TIME), -np.sin(TIME)], axis=-1)
    predicted = np.stack([np.cos(TIME - lag), -np.sin(TIME - lag)], axis=-1)
    middle = 1e-5 * np.exp(TIME) * (1 + lag)
    error = np.stack([middle, middle / 2, middle * 3], axis=1)
    return Rollouts(list(names), predicted, np.stack([true] * len(names)), error)


SURROGATE = {"r2": 0.98765, "r2_increment": 0.4321, "divergence_horizon": 17.0, "n": 3}
FIXED = ("gamma_0", "gamma_0.1", "gamma_0_study", "gamma_0.1_study")
VARIABLE = ("small", "middle", "big")


@pytest.fixture
def draws(style):
    return {
        "fixed": lambda: drawing.fixed(style, rollouts(FIXED), DT, 5),
        "variable": lambda: drawing.variable(style, rollouts(VARIABLE), DT, "about"),
        "compared": lambda: drawing.compared(style, rollouts(NAMES), DT, SURROGATE),
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


def test_the_error_panel_shows_the_band_on_a_logarithmic_axis_of_time(draws, bands):
    data = rollouts(VARIABLE)
    panel = draws["variable"]().axes[3]
    np.testing.assert_allclose(panel.lines[0].get_xdata(), TIME)
    np.testing.assert_allclose(panel.lines[0].get_ydata(), data.error[0, 0])
    (outline,) = bands(panel)
    assert outline[:, 1].min() == pytest.approx(data.error[0, 1].min())
    assert outline[:, 1].max() == pytest.approx(data.error[0, 2].max())
    assert panel.get_yscale() == "log"


def test_an_error_of_zero_is_drawn_at_the_floor(style):
    data = rollouts(VARIABLE)
    data.error[:] = 0
    panel = drawing.variable(style, data, DT, "about").axes[3]
    assert set(panel.lines[0].get_ydata()) == {FLOOR}


def test_the_states_are_drawn_beside_the_truth(draws):
    data = rollouts(VARIABLE)
    phase, position, momentum = draws["variable"]().axes[4:7]
    for line, path in zip(phase.lines, (data.true[1], data.predicted[1]), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), path)
    for panel, channel in ((position, 0), (momentum, 1)):
        truth, model = panel.lines
        assert truth.get_color() == TRUTH
        np.testing.assert_array_equal(truth.get_ydata(), data.true[1, :, channel])
        np.testing.assert_array_equal(model.get_ydata(), data.predicted[1, :, channel])


def test_a_model_that_runs_away_leaves_the_truth_in_sight(style):
    data = rollouts(VARIABLE)
    data.predicted[0] *= np.exp(5 * np.arange(STEPS))[:, None]
    data.predicted[0, -1] = np.inf
    _, position, _ = drawing.variable(style, data, DT, "about").axes[:3]
    low, high = position.get_ylim()
    reach = np.abs(data.true[0, :, 0]).max()
    assert -low == high == pytest.approx(1.6 * reach)
    drawn = position.lines[1].get_ydata()
    assert np.nanmax(np.abs(drawn)) <= 3 * high


def test_o3_draws_a_row_for_each_damping_with_all_its_recipes_and_the_claim(draws):
    figure = draws["fixed"]()
    assert [figure.axes[k].get_title(loc="left") for k in (0, 4)] == [
        r"$\gamma$ = 0 1/s",
        r"$\gamma$ = 0.1 1/s",
    ]
    for panel in (figure.axes[3], figure.axes[7]):
        labels = panel.get_legend_handles_labels()[1]
        assert labels == ["float64, cosine", "study", "study's claim"]
        assert set(panel.lines[-1].get_ydata()) == {1e-4}


def test_o5_draws_a_row_for_each_model(draws):
    figure = draws["variable"]()
    assert [figure.axes[k].get_title(loc="left") for k in (0, 4, 8)] == list(VARIABLE)


def test_o6_draws_the_error_of_every_model_and_the_states_of_three(draws):
    position, momentum, error, phase = draws["compared"]().axes
    assert error.get_legend_handles_labels()[1] == list(NAMES.values())
    for panel in (position, momentum, phase):
        labels = panel.get_legend_handles_labels()[1]
        assert labels == ["exact", NAMES["attention"], NAMES["linear"], NAMES["surrogate"]]


def test_o6_says_its_verdict_in_numbers(draws):
    title = draws["compared"]().get_suptitle()
    for number in ("0.9877", "0.432", "after 17 steps", "3 seeds"):
        assert number in title
