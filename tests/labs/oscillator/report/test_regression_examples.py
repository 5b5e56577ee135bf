from types import SimpleNamespace

import numpy as np
import pytest
import torch

from labs.oscillator.data.test_regression import CAR, HOUSING, SPRING
from pipeline.labs.oscillator.data import regression as made
from pipeline.labs.oscillator.models import regression as models
from pipeline.labs.oscillator.report.regression_examples import examples

CONFIG = made.RegressionConfig(seeds=(5, 6), spring=SPRING, car=CAR, housing=HOUSING)


@pytest.fixture(scope="module")
def data():
    drawn = examples(CONFIG, points=41)
    return SimpleNamespace(**{name: torch.from_numpy(a) for name, a in vars(drawn).items()})


def test_the_grids_have_the_points_asked_for_and_the_data_the_samples_configured(data):
    assert data.spring_fit.shape == data.car_curves.shape == (3, 41)
    for grid in (data.spring_grid, data.spring_slopes, data.car_grid):
        assert grid.shape == (41,)
    assert data.spring_x.shape == (SPRING.samples,)
    assert data.car_v.shape == (CAR.samples,)
    assert data.housing_prices.shape == (3, HOUSING.samples)


def test_the_data_is_the_first_seed_s(data):
    x, y = made.spring_data(SPRING, (5,), 0)
    assert torch.equal(data.spring_x, x[0])
    assert torch.equal(data.spring_y, y[0])


def test_the_fits_on_the_grid_are_those_of_the_data(data):
    slope, offset = np.polyfit(data.spring_x, data.spring_y, 1)
    expected = offset + slope * data.spring_grid.numpy()
    np.testing.assert_allclose(data.spring_fit[0], expected, rtol=1e-10)
    assert bool((data.spring_fit[2] > data.spring_fit[1]).all())
    truth, plain, engineered = data.car_curves
    assert torch.equal(truth, made.car_range(CAR, data.car_grid[None])[0])
    v, grid = data.car_v[None], data.car_grid[None]
    theta = models.fit(models.with_constant(v, v**-2), data.car_y[None])
    torch.testing.assert_close(
        engineered, models.predict(models.with_constant(grid, grid**-2), theta)[0]
    )
    assert float((plain - truth).square().mean()) > float((engineered - truth).square().mean())


def test_likelihood_and_squared_error_have_their_minimum_at_the_same_slope(data):
    middle = data.spring_slopes[20]
    for name in ("spring_likelihood", "spring_squares"):
        assert int(getattr(data, name).argmin()) == 20
    slope = np.polyfit(data.spring_x, data.spring_y, 1)[0]
    assert float(middle) == pytest.approx(slope, rel=1e-12)
    # One is the other over 2 sigma^2 and a constant.
    likely, squares = data.spring_likelihood, data.spring_squares
    difference = (likely - likely.min()) * 2 * SPRING.noise**2 - (squares - squares.min())
    assert float(difference.abs().max()) < 1e-13 * float(squares.max() + likely.max())


def test_the_houses_are_new_ones_whose_prices_the_interaction_predicts_better(data):
    true, without, joint = data.housing_prices
    assert len(true) == HOUSING.samples
    assert float((joint - true).square().mean()) < float((without - true).square().mean())
