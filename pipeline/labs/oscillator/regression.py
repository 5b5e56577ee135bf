"""O1: linear regression on made data whose truth is known (study, post 1).

A spring's stretch under weights, an electric car's range against speed, and the price of houses
against area and location. Every claim of the post becomes a number over many draws of the data.
"""

import math
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from scipy.stats import t as student
from torch import Tensor

from pipeline.config import Interval, Section, Seeds
from pipeline.core.nn.linear import normal_equation
from pipeline.core.training.sampling import generators

Positive = Annotated[float, Field(gt=0)]
Column = Float[Tensor, "draw sample"]
Design = Float[Tensor, "draw sample feature"]
Points = Float[Tensor, "draw point"]


class SpringConfig(Section):
    """W = stiffness x + offset + noise: ``samples`` measurements at positions in ``position``."""

    stiffness: Positive
    offset: float
    noise: Positive
    position: Interval
    samples: Annotated[int, Field(ge=4)]
    confidence: Annotated[float, Field(gt=0, lt=1)]


class RangeConfig(Section):
    """Range of a car, battery / (rolling + drag v^2), in km at v in km/h, measured with noise."""

    battery: Positive
    rolling: Positive
    drag: Positive
    speed: Interval
    noise: Positive
    samples: Annotated[int, Field(ge=4)]

    @model_validator(mode="after")
    def _moving(self) -> "RangeConfig":
        if self.speed[0] <= 0:
            raise ValueError(f"speed must be > 0 (a feature is 1/v^2), got {self.speed[0]:g}")
        return self


class HousingConfig(Section):
    """Price = base + per_area a + per_location l + interaction a l + noise.

    Area a and location l are standard normal and correlated.
    """

    base: float
    per_area: float
    per_location: float
    interaction: float
    correlation: Annotated[float, Field(gt=-1, lt=1)]
    noise: Positive
    samples: Annotated[int, Field(ge=6)]


class RegressionConfig(Section):
    """The three examples; each seed draws training and test data of its own."""

    seeds: Annotated[Seeds, Field(min_length=2)]  # an interval of a mean needs two
    spring: SpringConfig
    car: RangeConfig
    housing: HousingConfig


def uniform(seeds: Seeds, purpose: int, count: int, bounds: tuple[float, float]) -> Column:
    """Draw [draw, sample] uniformly, each draw from its own seed."""
    streams = generators(seeds, purpose)
    drawn = torch.stack([torch.rand(count, generator=g, dtype=torch.float64) for g in streams])
    return bounds[0] + (bounds[1] - bounds[0]) * drawn


def normal(seeds: Seeds, purpose: int, count: int) -> Column:
    """Draw [draw, sample] from the standard normal, each draw from its own seed."""
    streams = generators(seeds, purpose)
    return torch.stack([torch.randn(count, generator=g, dtype=torch.float64) for g in streams])


def with_constant(*columns: Column) -> Design:
    """Stack a column of ones and the given features."""
    return torch.stack([torch.ones_like(columns[0]), *columns], dim=-1)


def fit(design: Design, y: Column) -> Float[Tensor, "draw feature"]:
    """Return the least-squares coefficients of every draw, by the normal equation."""
    return normal_equation(design, y[..., None])[..., 0]


def predict(design: Design, theta: Float[Tensor, "draw feature"]) -> Column:
    """Return the fitted values."""
    return (design @ theta[..., None])[..., 0]


def bands(
    design: Design, y: Column, at: Float[Tensor, "draw point feature"], confidence: float
) -> tuple[Points, Points, Points]:
    """Return the fit at new points and the half-widths of its confidence and prediction bands.

    The bands are y(x) +- t sqrt(s^2 h) and y(x) +- t sqrt(s^2 (1 + h)), h = x^T (X^T X)^-1 x, with
    s^2 the residual variance on n - k degrees of freedom and t Student's quantile (Draper & Smith,
    *Applied Regression Analysis*, 3.1).
    """
    theta = fit(design, y)
    freedom = design.shape[1] - design.shape[2]
    variance = (y - predict(design, theta)).square().sum(1, keepdim=True) / freedom
    inverse = torch.linalg.inv(design.mT @ design)
    leverage = ((at @ inverse) * at).sum(-1)
    quantile = float(student.ppf((1 + confidence) / 2, freedom))
    narrow = quantile * (variance * leverage).sqrt()
    return predict(at, theta), narrow, quantile * (variance * (1 + leverage)).sqrt()


def negative_log_likelihood(
    design: Design, y: Column, theta: Float[Tensor, "draw feature"], sigma: Float[Tensor, " draw"]
) -> Float[Tensor, " draw"]:
    """Return -log L of Gaussian errors, a mean over samples (post 1, the statistical model)."""
    squared = (y - predict(design, theta)).square().mean(1)
    return squared / (2 * sigma**2) + sigma.log() + 0.5 * math.log(2 * math.pi)


def maximum_likelihood(
    design: Design, y: Column
) -> tuple[Float[Tensor, "draw feature"], Float[Tensor, " draw"]]:
    """Minimise the likelihood's negative logarithm over coefficients and sigma, by L-BFGS.

    It knows nothing of least squares: that its optimum is the same is a finding, not a definition.
    """
    theta = torch.zeros(design.shape[0], design.shape[2], dtype=torch.float64, requires_grad=True)
    log_sigma = y.std(1).log().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [theta, log_sigma], max_iter=500, tolerance_grad=1e-12, tolerance_change=0.0,
        history_size=20, line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = negative_log_likelihood(design, y, theta, log_sigma.exp()).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return theta.detach(), log_sigma.detach().exp()


def out_of_sample(train: Design, y: Column, test: Design, truth: Column) -> Float[Tensor, " draw"]:
    """Return the root-mean-square error of the fit on test data, out of sample."""
    return (predict(test, fit(train, y)) - truth).square().mean(1).sqrt()


def spring_data(config: SpringConfig, seeds: Seeds, purpose: int) -> tuple[Column, Column]:
    """Draw positions and measured weights."""
    x = uniform(seeds, purpose, config.samples, config.position)
    noise = config.noise * normal(seeds, purpose + 1, config.samples)
    return x, config.offset + config.stiffness * x + noise


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


def car_range(config: RangeConfig, speed: Column) -> Column:
    """Return the true range in km: battery energy over rolling resistance and drag."""
    return config.battery / (config.rolling + config.drag * speed**2)


def car_data(config: RangeConfig, seeds: Seeds, purpose: int) -> tuple[Column, Column]:
    """Draw speeds (km/h) and measured ranges (km)."""
    v = uniform(seeds, purpose, config.samples, config.speed)
    return v, car_range(config, v) + config.noise * normal(seeds, purpose + 1, config.samples)


def car_quantities(config: RangeConfig, seeds: Seeds) -> dict[str, Float[Tensor, " draw"]]:
    """Measure out-of-sample errors (km) with features (v), and (v, 1/v^2) as the post proposes."""
    v, y = car_data(config, seeds, 10)
    new, _ = car_data(config, seeds, 12)
    truth = car_range(config, new)
    plain = out_of_sample(with_constant(v), y, with_constant(new), truth)
    engineered = out_of_sample(with_constant(v, v**-2), y, with_constant(new, new**-2), truth)
    return {"error_plain": plain, "error_engineered": engineered, "gain": plain / engineered}


def housing_data(
    config: HousingConfig, seeds: Seeds, purpose: int
) -> tuple[Column, Column, Column, Column]:
    """Draw areas and locations; return them, the true prices and those with noise."""
    area = normal(seeds, purpose, config.samples)
    other = normal(seeds, purpose + 1, config.samples)
    c = config.correlation
    location = c * area + (1 - c**2) ** 0.5 * other
    truth = (
        config.base
        + config.per_area * area
        + config.per_location * location
        + config.interaction * area * location
    )
    noise = config.noise * normal(seeds, purpose + 2, config.samples)
    return area, location, truth, truth + noise


def housing_quantities(config: HousingConfig, seeds: Seeds) -> dict[str, Float[Tensor, " draw"]]:
    """Measure out-of-sample errors of the price without and with the interaction term."""
    a, loc, _, y = housing_data(config, seeds, 20)
    new_a, new_loc, truth, _ = housing_data(config, seeds, 23)
    plain = out_of_sample(with_constant(a, loc), y, with_constant(new_a, new_loc), truth)
    joint = out_of_sample(
        with_constant(a, loc, a * loc), y, with_constant(new_a, new_loc, new_a * new_loc), truth
    )
    return {"error_plain": plain, "error_interaction": joint, "gain": plain / joint}
