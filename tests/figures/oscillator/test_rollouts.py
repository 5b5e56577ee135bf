import numpy as np
import pytest
from matplotlib.figure import Figure

from figures.oscillator.made import DT, STEPS, TIME, rollouts
from pipeline.figures.oscillator import rollouts as drawing
from pipeline.figures.style import COLOURS, FLOOR, TRUTH

MODELS = ("small", "middle", "big")


@pytest.fixture
def axes(style):
    return list(Figure().subplots(1, 3))


def test_the_states_are_drawn_beside_the_truth(axes):
    data = rollouts(MODELS)
    drawing.draw_states(axes, data, {"middle": "model"}, DT)
    phase, position, momentum = axes
    for line, path in zip(phase.lines, (data.true[1], data.predicted[1]), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), path)
    for panel, channel in ((position, 0), (momentum, 1)):
        truth, model = panel.lines
        assert truth.get_color() == TRUTH
        np.testing.assert_allclose(truth.get_xdata(), TIME)
        np.testing.assert_array_equal(truth.get_ydata(), data.true[1, :, channel])
        np.testing.assert_array_equal(model.get_ydata(), data.predicted[1, :, channel])
        assert panel.get_legend_handles_labels()[1] == ["exact", "model"]


def test_a_model_that_runs_away_leaves_the_truth_in_sight(axes):
    data = rollouts(MODELS)
    data.predicted[0] *= np.exp(5 * np.arange(STEPS))[:, None]
    data.predicted[0, -1] = np.inf
    drawing.draw_states(axes, data, {"small": "model"}, DT)
    low, high = axes[1].get_ylim()
    half_width = np.abs(data.true[0, :, 0]).max()
    assert -low == high == pytest.approx(1.6 * half_width)
    drawn = axes[1].lines[1].get_ydata()
    assert np.nanmax(np.abs(drawn)) <= 3 * high


def test_the_errors_are_bands_on_a_logarithmic_axis_of_time(axes, bands):
    data, axis = rollouts(MODELS), axes[0]
    drawing.draw_errors(axis, data, {"big": "one", "small": "other"}, DT)
    assert axis.get_yscale() == "log"
    assert axis.get_legend_handles_labels()[1] == ["one", "other"]
    for line, outline, k in zip(axis.lines, bands(axis), (2, 0), strict=True):
        np.testing.assert_allclose(line.get_xdata(), TIME)
        np.testing.assert_array_equal(line.get_ydata(), data.error[k, 0])
        assert outline[:, 1].min() == pytest.approx(data.error[k, 1].min())
        assert outline[:, 1].max() == pytest.approx(data.error[k, 2].max())


def test_an_error_of_zero_is_drawn_at_the_floor(axes):
    data = rollouts(MODELS)
    data.error[:] = 0
    drawing.draw_errors(axes[0], data, {"small": "model"}, DT)
    assert set(axes[0].lines[0].get_ydata()) == {FLOOR}


def test_every_seed_is_a_line_and_the_example_s_is_marked(axes):
    data, axis = rollouts(MODELS), axes[0]
    drawing.draw_every_seed(axis, data, "middle", DT)
    assert len(axis.lines) == 3
    for k, line in enumerate(axis.lines):
        np.testing.assert_array_equal(line.get_ydata(), data.run_error[3 + k])
    # The example of the second model is by the second seed.
    assert [line.get_color() for line in axis.lines] == [COLOURS[1], COLOURS[0], COLOURS[1]]
    assert axis.lines[1].get_label() == "the seed shown"
    assert {axis.lines[0].get_label(), axis.lines[2].get_label()} == {"each other seed"}


def test_the_seed_shown_is_told_unless_there_is_none():
    data = rollouts(("small", "dmd", "big"))
    assert [drawing.shown_seed(data, name) for name in data.model] == ["seed 10", "", "seed 12"]
