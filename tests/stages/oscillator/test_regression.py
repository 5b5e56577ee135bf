import numpy as np
import pytest

from pipeline.labs.oscillator.report.regression_examples import RegressionExamples
from pipeline.runtime.formats import artifacts, records

STAGE = "oscillator_regression"
QUANTITIES = {
    "spring": ("stiffness_error", "coverage_line", "coverage_new", "likelihood_gap", "sigma_gap"),
    "car": ("error_plain", "error_engineered", "gain"),
    "housing": ("error_plain", "error_interaction", "gain"),
}


@pytest.mark.parametrize("example", QUANTITIES)
def test_each_example_has_its_numbers_over_the_draws(chain, example, assert_summaries):
    found = chain.metrics(STAGE)
    assert found.keys() == {"O1"}
    assert found["O1"].keys() == QUANTITIES.keys()
    draws = len(chain.params(STAGE).examples.seeds)
    assert_summaries({example: found["O1"][example]}, QUANTITIES[example], {None: draws})


def test_the_table_has_every_quantity_of_every_example(chain):
    table = artifacts.read_csv(chain.made(STAGE) / "table.csv", ["condition", "quantity"])
    rows = set(zip(table.condition, table.quantity, strict=True))
    assert rows == {(name, each) for name, own in QUANTITIES.items() for each in own}


def test_the_drawn_example_is_the_first_draw_with_as_many_samples_as_configured(chain):
    config = chain.params(STAGE).examples
    arrays = records.read_arrays(chain.made(STAGE) / "examples.npz", RegressionExamples)
    assert len(arrays.spring_x) == config.spring.samples
    assert len(arrays.car_v) == config.car.samples
    assert arrays.housing_prices.shape == (3, config.housing.samples)
    assert all(bool(np.isfinite(array).all()) for array in vars(arrays).values())
