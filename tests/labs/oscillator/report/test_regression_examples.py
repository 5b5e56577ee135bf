import numpy as np
import pytest
import torch

from labs.oscillator.test_regression import CAR, HOUSING, SPRING
from pipeline.labs.oscillator import regression
from pipeline.labs.oscillator.regression import RegressionConfig, with_constant
from pipeline.labs.oscillator.regression_examples import SCHEMA, examples

CONFIG = RegressionConfig(seeds=(5, 6), spring=SPRING, car=CAR, housing=HOUSING)


@pytest.fixture(scope="module")
def data():
    return examples(CONFIG, points=41)


def test_the_arrays_are_those_of_the_file_with_shared_axes(data):
    assert data.keys() == SCHEMA.keys()
    sizes = {}
    for name, axes in SCHEMA.items():
        dtype, *names = axes.split()
        assert str(data[name].dtype) == f"torch.{dtype}"
        for axis, size in zip(names, data[name].shape, strict=True):
            assert sizes.setdefault(axis, size) == size
            assert not axis.isdigit() or int(axis) == size
    assert sizes["point"] == 41


def test_the_data_is_the_first_seed_s(data):
    x, y = regression.spring_data(SPRING, (5,), 0)
    assert torch.equal(data["spring_x"], x[0])
    assert torch.equal(data["spring_y"], y[0])


def test_the_fits_on_the_grid_are_those_of_the_data(data):
    slope, offset = np.polyfit(data["spring_x"], data["spring_y"], 1)
    expected = offset + slope * data["spring_grid"].numpy()
    np.testing.assert_allclose(data["spring_fit"][0], expected, rtol=1e-10)
    assert bool((data["spring_fit"][2] > data["spring_fit"][1]).all())
    truth, plain, engineered = data["car_curves"]
    assert torch.equal(truth, regression.car_range(CAR, data["car_grid"][None])[0])
    v, grid = data["car_v"][None], data["car_grid"][None]
    theta = regression.fit(with_constant(v, v**-2), data["car_y"][None])
    torch.testing.assert_close(
        engineered, regression.predict(with_constant(grid, grid**-2), theta)[0]
    )
    assert float((plain - truth).square().mean()) > float((engineered - truth).square().mean())


def test_likelihood_and_squared_error_have_their_minimum_at_the_same_slope(data):
    middle = data["spring_slopes"][20]
    for name in ("spring_likelihood", "spring_squares"):
        assert int(data[name].argmin()) == 20
    slope = np.polyfit(data["spring_x"], data["spring_y"], 1)[0]
    assert float(middle) == pytest.approx(slope, rel=1e-12)
    # One is the other over 2 sigma^2 and a constant.
    likely, squares = data["spring_likelihood"], data["spring_squares"]
    difference = (likely - likely.min()) * 2 * SPRING.noise**2 - (squares - squares.min())
    assert float(difference.abs().max()) < 1e-13 * float(squares.max() + likely.max())


def test_the_houses_are_new_ones_whose_prices_the_interaction_predicts_better(data):
    true, without, joint = data["housing_prices"]
    assert len(true) == HOUSING.samples
    assert float((joint - true).square().mean()) < float((without - true).square().mean())
