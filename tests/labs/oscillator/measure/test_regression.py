import pytest
import torch

from labs.oscillator.data.test_regression import CAR, HOUSING, SEEDS, SPRING
from labs.oscillator.models.test_regression import SEARCHED
from pipeline.labs.oscillator.data.regression import RegressionConfig
from pipeline.labs.oscillator.measure import regression


def test_the_spring_s_numbers_are_errors_coverages_and_gaps_a_draw_each():
    found = regression.spring_quantities(SPRING, SEEDS)
    assert all(value.shape == (len(SEEDS),) for value in found.values())
    for name in ("coverage_line", "coverage_new"):
        assert bool(((found[name] >= 0) & (found[name] <= 1)).all())
    # The root of what the search cannot see, over curvatures of the likelihood about one and more.
    assert float(found["likelihood_gap"].max()) < 2 * (2 * SEARCHED) ** 0.5
    # 0.3 / (12^(1/2) x 5 / 12^(1/2)) = 0.06 is the slope's standard error; five of them.
    assert float(found["stiffness_error"].max()) < 5 * 0.06 * 1.5


@pytest.mark.parametrize(
    ("quantities", "config", "better"),
    [
        (regression.car_quantities, CAR, "error_engineered"),
        (regression.housing_quantities, HOUSING, "error_interaction"),
    ],
)
def test_the_added_feature_predicts_new_data_better(quantities, config, better):
    found = quantities(config, SEEDS)
    assert torch.equal(found["gain"], found["error_plain"] / found[better])
    # Not in every draw (noise may favour a wrong model), but in nearly all, and by the median.
    assert float((found["gain"] > 1).double().mean()) > 0.75
    assert float(found["gain"].median()) > 1.2


def test_without_an_interaction_its_term_gains_nothing():
    plain = HOUSING.model_copy(update={"interaction": 0.0})
    found = regression.housing_quantities(plain, SEEDS)
    assert 0.8 < float(found["gain"].median()) <= 1.0


def test_the_interaction_s_model_errs_as_least_squares_of_a_true_model_does():
    found = regression.housing_quantities(HOUSING, SEEDS)["error_interaction"]
    # rms error of k = 4 coefficients from n = 60 samples: noise (k / n)^(1/2), to a factor of two.
    expected = HOUSING.noise * (4 / 60) ** 0.5
    assert expected / 2 < float(found.median()) < expected * 2


def test_the_results_are_medians_and_of_coverages_means():
    config = RegressionConfig(seeds=SEEDS, spring=SPRING, car=CAR, housing=HOUSING)
    results = regression.regression_results(config)
    spring = regression.spring_quantities(SPRING, SEEDS)
    assert results["spring"]["coverage_new"] == pytest.approx(float(spring["coverage_new"].mean()))
    gain = regression.car_quantities(CAR, SEEDS)["gain"].sort().values
    # An even number of draws: the mean of the two in the middle.
    assert results["car"]["gain"] == pytest.approx(float(gain[19:21].mean()))
    assert {each["n"] for each in results.values()} == {len(SEEDS)}
