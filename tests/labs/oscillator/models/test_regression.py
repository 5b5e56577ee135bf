import numpy as np
import pytest
import torch
from scipy import stats

from labs.oscillator.data.test_regression import SEEDS, SPRING
from pipeline.core.nn.linear import normal_equation
from pipeline.labs.oscillator.data.regression import normal, spring_data
from pipeline.labs.oscillator.models.regression import (
    bands,
    fit,
    maximum_likelihood,
    negative_log_likelihood,
    predict,
    with_constant,
)

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
    fresh = truth + SPRING.noise * normal(seeds, 5, 1)
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
    rms = (y - predict(design, least)).square().mean(1).sqrt()
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
