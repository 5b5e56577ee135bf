"""O1: every claim of post 1 on linear regression as a number over many draws of the data."""

from jaxtyping import Float
from torch import Tensor

from pipeline.config import Seeds
from pipeline.core.stats.intervals import Summary, mean_summary, summary
from pipeline.labs.oscillator.data.regression import (
    Column,
    HousingConfig,
    RangeConfig,
    RegressionConfig,
    SpringConfig,
    car_data,
    car_range,
    housing_data,
    spring_data,
)
from pipeline.labs.oscillator.models.regression import (
    Design,
    bands,
    fit,
    maximum_likelihood,
    predict,
    with_constant,
)

SHARES = ("coverage_line", "coverage_new")


def regression_results(config: RegressionConfig) -> dict[str, Summary]:
    """Summarise each example's quantities over the draws: medians; of coverages, means."""
    spring = spring_quantities(config.spring, config.seeds)
    shares = {name: spring.pop(name) for name in SHARES}
    return {
        "spring": summary(spring) | mean_summary(shares),
        "car": summary(car_quantities(config.car, config.seeds)),
        "housing": summary(housing_quantities(config.housing, config.seeds)),
    }


def out_of_sample(train: Design, y: Column, test: Design, truth: Column) -> Float[Tensor, " draw"]:
    """Return the root-mean-square error of the fit on test data, out of sample."""
    return (predict(test, fit(train, y)) - truth).square().mean(1).sqrt()


def spring_quantities(config: SpringConfig, seeds: Seeds) -> dict[str, Float[Tensor, " draw"]]:
    """Measure the line: its error, the coverage of both bands, and likelihood against squares.

    ``coverage_line`` and ``coverage_new`` are the shares of points where the confidence band holds
    the true line and the prediction band a new measurement; ``likelihood_gap`` is the largest
    difference of the two optima's coefficients.
    """
    x, y = spring_data(config, seeds, 0)
    design = with_constant(x)
    new_x, new_y = spring_data(config, seeds, 2)
    at = with_constant(new_x)
    centre, narrow, wide = bands(design, y, at, config.confidence)
    theta = fit(design, y)
    by_likelihood, sigma = maximum_likelihood(design, y)
    residual = (y - predict(design, theta)).square().mean(1).sqrt()
    truth = config.offset + config.stiffness * new_x
    return {
        "stiffness_error": (theta[:, 1] - config.stiffness).abs(),
        "coverage_line": ((centre - truth).abs() <= narrow).double().mean(1),
        "coverage_new": ((centre - new_y).abs() <= wide).double().mean(1),
        "likelihood_gap": (by_likelihood - theta).abs().amax(1),
        "sigma_gap": (sigma - residual).abs(),
    }


def car_quantities(config: RangeConfig, seeds: Seeds) -> dict[str, Float[Tensor, " draw"]]:
    """Measure out-of-sample errors (km) with features (v), and (v, 1/v^2) as the post proposes."""
    v, y = car_data(config, seeds, 10)
    new, _ = car_data(config, seeds, 12)
    truth = car_range(config, new)
    plain = out_of_sample(with_constant(v), y, with_constant(new), truth)
    engineered = out_of_sample(with_constant(v, v**-2), y, with_constant(new, new**-2), truth)
    return {"error_plain": plain, "error_engineered": engineered, "gain": plain / engineered}


def housing_quantities(config: HousingConfig, seeds: Seeds) -> dict[str, Float[Tensor, " draw"]]:
    """Measure out-of-sample errors of the price without and with the interaction term."""
    a, loc, _, y = housing_data(config, seeds, 20)
    new_a, new_loc, truth, _ = housing_data(config, seeds, 23)
    plain = out_of_sample(with_constant(a, loc), y, with_constant(new_a, new_loc), truth)
    joint = out_of_sample(
        with_constant(a, loc, a * loc), y, with_constant(new_a, new_loc, new_a * new_loc), truth
    )
    return {"error_plain": plain, "error_interaction": joint, "gain": plain / joint}
