import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import stats

from pipeline.core.nn.linear import normal_equation
from pipeline.labs.oscillator import regression
from pipeline.labs.oscillator.regression import (
    HousingConfig,
    RangeConfig,
    SpringConfig,
    bands,
    fit,
    maximum_likelihood,
    negative_log_likelihood,
    spring_data,
    with_constant,
)

SPRING = SpringConfig(
    stiffness=2.0, offset=0.5, noise=0.3, position=(0.0, 5.0), samples=12, confidence=0.95
)
CAR = RangeConfig(
    battery=60.0, rolling=0.1, drag=1.2e-5, speed=(60.0, 140.0), noise=10.0, samples=40
)
HOUSING = HousingConfig(
    base=300.0, per_area=80.0, per_location=50.0, interaction=40.0, correlation=0.5, noise=20.0,
    samples=60,
)  # fmt: skip
SEEDS = tuple(range(40))
DRAWS = 2000
SEARCHED = 480 * 10 * 10 * 2.2e-16  # what a search by values cannot see of the likelihood


def test_the_line_and_its_bands_are_those_of_the_textbook():
    x, y = spring_data(SPRING, (0, 1, 2), 0)
    at = torch.linspace(-1, 6, 12, dtype=torch.float64).expand(3, -1)
    centre, narrow, wide = bands(with_constant(x), y, with_constant(at), 0.9)
    for k in range(3):
        line = stats.linregress(x[k].numpy(), y[k].numpy())
        residual = y[k].numpy() - line.intercept - line.slope * x[k].numpy()
        s = np.sqrt((residual**2).sum() / 10)
        spread = x[k].numpy() - x[k].numpy().mean()
        h = 1 / 12 + (at[k].numpy() - x[k].numpy().mean()) ** 2 / (spread**2).sum()
        t = stats.t.ppf(0.95, 10)
        # Some hundred roundings of numbers below 20, the design's condition number squared.
        close = {"rtol": 1e-10}
        expected = line.intercept + line.slope * at[k].numpy()
        np.testing.assert_allclose(centre[k], expected, **close)
        np.testing.assert_allclose(narrow[k], t * s * np.sqrt(h), **close)
        np.testing.assert_allclose(wide[k], t * s * np.sqrt(1 + h), **close)


@pytest.mark.parametrize("confidence", [0.5, 0.95])
@pytest.mark.parametrize("where", [0.0, 2.5, 7.0])
def test_both_bands_cover_as_often_as_they_say_wherever_one_looks(confidence, where):
    seeds = tuple(range(DRAWS))
    x, y = spring_data(SPRING, seeds, 0)
    at = torch.full((DRAWS, 12), where, dtype=torch.float64)
    centre, narrow, wide = bands(with_constant(x), y, with_constant(at), confidence)
    truth = SPRING.offset + SPRING.stiffness * where
    fresh = truth + SPRING.noise * regression.normal(seeds, 5, 1)
    # One point a draw, so draws are independent: five standard deviations of a proportion.
    tolerance = 5 * (confidence * (1 - confidence) / DRAWS) ** 0.5
    for target, half in ((truth, narrow), (fresh, wide)):
        covered = ((centre - target).abs() <= half)[:, 0].double().mean()
        assert float(covered) == pytest.approx(confidence, abs=tolerance)


def test_the_normal_equation_of_many_draws_is_that_of_each():
    x, y = spring_data(SPRING, SEEDS, 0)
    together = fit(with_constant(x), y)
    for k in range(len(SEEDS)):
        alone = normal_equation(with_constant(x)[k], y[k, :, None])[:, 0]
        torch.testing.assert_close(together[k], alone, rtol=1e-12, atol=0)


def test_a_draw_does_not_depend_on_the_others():
    together = spring_data(SPRING, (3, 7), 0)
    for k, seed in enumerate((3, 7)):
        for all_draws, alone in zip(together, spring_data(SPRING, (seed,), 0), strict=True):
            assert torch.equal(all_draws[k], alone[0])


def test_the_likelihood_is_scipy_s():
    x, y = spring_data(SPRING, (0, 1), 0)
    theta = torch.tensor([[0.4, 1.9], [0.6, 2.2]], dtype=torch.float64)
    sigma = torch.tensor([0.2, 0.5], dtype=torch.float64)
    found = negative_log_likelihood(with_constant(x), y, theta, sigma)
    for k in range(2):
        mean = theta[k, 0] + theta[k, 1] * x[k]
        expected = -stats.norm.logpdf(y[k].numpy(), mean.numpy(), float(sigma[k])).mean()
        # log(2 pi) enters in float32: 1e-7 of it.
        assert float(found[k]) == pytest.approx(expected, abs=2e-7)


def test_the_most_likely_line_is_the_one_of_least_squares():
    x, y = spring_data(SPRING, SEEDS, 0)
    design = with_constant(x)
    theta, sigma = maximum_likelihood(design, y)
    least = fit(design, y)
    rms = (y - regression.predict(design, least)).square().mean(1).sqrt()
    excess = negative_log_likelihood(design, y, theta, sigma) - negative_log_likelihood(
        design, y, least, rms
    )
    # The search sees the sum of all draws: 480 terms, ten roundings of a total below ten each.
    assert float(excess.abs().max()) < SEARCHED
    # So far may the coefficients lie apart that the likelihood is worse by no more than that.
    curvature = torch.linalg.eigvalsh(design.mT @ design / 12)[:, 0] / rms**2
    assert bool(((theta - least).norm(dim=1) < 2 * (2 * SEARCHED / curvature).sqrt()).all())
    assert float((sigma - rms).abs().max()) < 2 * float((SEARCHED * rms**2).sqrt().max())


def test_no_line_near_the_most_likely_one_is_likelier():
    x, y = spring_data(SPRING, SEEDS, 0)
    design = with_constant(x)
    theta, sigma = maximum_likelihood(design, y)
    least = negative_log_likelihood(design, y, theta, sigma)
    for moved in (1e-3, -1e-3):
        for column in range(2):
            other = theta.clone()
            other[:, column] += moved
            assert bool((negative_log_likelihood(design, y, other, sigma) > least).all())
        assert bool((negative_log_likelihood(design, y, theta, sigma + moved) > least).all())


def test_the_spring_s_numbers_are_errors_coverages_and_gaps_a_draw_each():
    found = regression.spring_quantities(SPRING, SEEDS)
    assert all(value.shape == (len(SEEDS),) for value in found.values())
    for name in ("coverage_line", "coverage_new"):
        assert bool(((found[name] >= 0) & (found[name] <= 1)).all())
    # The root of what the search cannot see, over curvatures of the likelihood about one and more.
    assert float(found["likelihood_gap"].max()) < 2 * (2 * SEARCHED) ** 0.5
    # 0.3 / (12^(1/2) x 5 / 12^(1/2)) = 0.06 is the slope's standard error; five of them.
    assert float(found["stiffness_error"].max()) < 5 * 0.06 * 1.5


def test_the_car_s_range_is_its_battery_over_its_consumption():
    speed = torch.tensor([[100.0]], dtype=torch.float64)
    # 60 kWh / (0.1 + 0.12) kWh/km
    assert float(regression.car_range(CAR, speed)) == pytest.approx(60 / 0.22)


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


def test_areas_and_locations_are_correlated_as_configured():
    area, location, truth, price = regression.housing_data(HOUSING, tuple(range(200)), 0)
    n = area.numel()
    found = np.corrcoef(area.flatten(), location.flatten())[0, 1]
    # Five standard errors, (1 - r^2) / n^(1/2) each.
    assert found == pytest.approx(0.5, abs=5 * 0.75 / n**0.5)
    noise = (price - truth).flatten()
    assert float(noise.std()) == pytest.approx(20.0, rel=5 / (2 * n) ** 0.5)


@pytest.mark.parametrize(
    ("config", "change"),
    [
        (SPRING, {"samples": 3}),
        (SPRING, {"confidence": 1.0}),
        (SPRING, {"confidence": 0.0}),
        (SPRING, {"noise": 0.0}),
        (SPRING, {"position": (5.0, 5.0)}),
        (CAR, {"drag": 0.0}),
        (CAR, {"speed": (140.0, 60.0)}),
        (HOUSING, {"correlation": 1.0}),
        (HOUSING, {"correlation": -1.0}),
        (HOUSING, {"samples": 5}),
    ],
)
def test_data_that_cannot_be_made_is_refused(config, change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        type(config)(**{**config.model_dump(), **change})
