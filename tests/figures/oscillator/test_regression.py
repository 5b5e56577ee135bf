import numpy as np
import pytest

from pipeline.figures.oscillator.regression import regression
from pipeline.labs.oscillator.report.regression_examples import RegressionExamples

POINTS = np.linspace(0, 5, 30)
RESULTS = {
    "spring": {"coverage_line": 0.9432, "coverage_new": 0.9571, "likelihood_gap": 3.4e-8},
    "car": {"gain": 2.71, "n": 50},
    "housing": {"gain": 5.55, "n": 50},
}


def data():
    line = 0.5 + 2 * POINTS
    slopes = 2 + np.linspace(-0.5, 0.5, 30)
    parabola = (slopes - 2) ** 2
    speeds = np.linspace(60, 140, 30)
    truth = 60 / (0.1 + 1.2e-5 * speeds**2)
    prices = np.linspace(100, 500, 12)
    return RegressionExamples(
        spring_x=POINTS[::3],
        spring_y=line[::3] + 0.1,
        spring_grid=POINTS,
        spring_fit=np.stack([line, 0.1 + 0 * line, 0.7 + 0 * line]),
        spring_slopes=slopes,
        spring_likelihood=3 * parabola - 1,
        spring_squares=parabola + 0.09,
        car_v=speeds[::2],
        car_y=truth[::2],
        car_grid=speeds,
        car_curves=np.stack([truth, truth + 20, truth + 5]),
        housing_prices=np.stack([prices, prices + 40, prices + 8]),
    )


@pytest.fixture
def figure(style):
    return regression(style, data(), RESULTS, 17)


def test_there_are_four_labelled_panels(figure, assert_labelled):
    assert len(figure.axes) == 4
    assert_labelled(figure)


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: regression(style, data(), RESULTS, 17))


def test_the_line_lies_in_its_confidence_band_and_that_in_the_prediction_band(figure, bands):
    wide, narrow = bands(figure.axes[0])
    for outline, half in ((wide, 0.7), (narrow, 0.1)):
        edge = outline[np.isclose(outline[:, 0], 5.0), 1]
        assert (edge.min(), edge.max()) == pytest.approx((10.5 - half, 10.5 + half))
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), data().spring_fit[0])


def test_likelihood_and_squares_are_drawn_above_their_minima_at_one_scale(figure):
    likely, squares = (line.get_ydata() for line in figure.axes[1].lines)
    np.testing.assert_allclose(likely, squares, atol=1e-14)
    assert (likely.min(), likely.max()) == (0.0, 1.0)


def test_the_titles_say_what_is_claimed_in_numbers(figure):
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    for title, numbers in zip(
        titles, (("94.3%", "95.7%"), ("3e-08",), ("2.7",), ("5.5",)), strict=True
    ):
        assert all(number in title for number in numbers), title
    assert "50 draws" in figure.get_suptitle()
    assert "the draw of seed 17" in figure.get_suptitle()


def test_the_fits_of_range_and_price_are_drawn_beside_the_truth(figure):
    drawn = data()
    _, truth, plain, engineered = figure.axes[2].lines
    for line, curve in zip((truth, plain, engineered), drawn.car_curves, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), curve)
        np.testing.assert_array_equal(line.get_xdata(), drawn.car_grid)
    without, joint, diagonal = figure.axes[3].lines
    np.testing.assert_array_equal(without.get_ydata(), drawn.housing_prices[1])
    np.testing.assert_array_equal(joint.get_ydata(), drawn.housing_prices[2])
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
