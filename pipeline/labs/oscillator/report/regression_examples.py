"""What the figure of O1 draws: one draw of each example, with its fits on a grid."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from pipeline.config import Seeds
from pipeline.labs.oscillator.data.regression import (
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
    bands,
    fit,
    negative_log_likelihood,
    predict,
    with_constant,
)


@dataclass(frozen=True)
class RegressionExamples:
    """One draw of each example, with its fits on a grid.

    ``spring_*``: positions (m) and weights (N); the fit and both half-widths; the likelihood's
    profile over the slope (N/m) beside the squared error's. ``car_*``: speeds (km/h) and ranges
    (km); truth and both fits. ``housing_prices`` (thousands): truth and both predictions.
    """

    spring_x: Float64[np.ndarray, " sample"]
    spring_y: Float64[np.ndarray, " sample"]
    spring_grid: Float64[np.ndarray, " point"]
    spring_fit: Float64[np.ndarray, "3 point"]
    spring_slopes: Float64[np.ndarray, " point"]
    spring_likelihood: Float64[np.ndarray, " point"]
    spring_squares: Float64[np.ndarray, " point"]
    car_v: Float64[np.ndarray, " car"]
    car_y: Float64[np.ndarray, " car"]
    car_grid: Float64[np.ndarray, " point"]
    car_curves: Float64[np.ndarray, "3 point"]
    housing_prices: Float64[np.ndarray, "3 house"]


def examples(config: RegressionConfig, points: int = 200) -> RegressionExamples:
    """Return the first seed's data and its fits on a grid of so many points, for drawing."""
    one = config.seeds[:1]
    arrays = (
        _spring(config.spring, one, points)
        | _car(config.car, one, points)
        | {"housing_prices": _housing(config.housing, one)}
    )
    return RegressionExamples(**{name: array.numpy() for name, array in arrays.items()})


def _spring(config: SpringConfig, one: Seeds, points: int) -> dict[str, Tensor]:
    x, y = spring_data(config, one, 0)
    grid = torch.linspace(*config.position, points, dtype=torch.float64)[None]
    design = with_constant(x)
    centre, narrow, wide = bands(design, y, with_constant(grid), config.confidence)
    theta = fit(design, y)
    slopes = theta[0, 1] + torch.linspace(-0.5, 0.5, points, dtype=torch.float64)
    moved = torch.stack([theta[0, :1].expand(points), slopes], dim=1)
    many, same = design.expand(points, -1, -1), y.expand(points, -1)
    sigma = torch.full((points,), config.noise, dtype=torch.float64)
    return {
        "spring_x": x[0],
        "spring_y": y[0],
        "spring_grid": grid[0],
        "spring_fit": torch.stack([centre[0], narrow[0], wide[0]]),
        "spring_slopes": slopes,
        "spring_likelihood": negative_log_likelihood(many, same, moved, sigma),
        "spring_squares": (same - predict(many, moved)).square().mean(1),
    }


def _car(config: RangeConfig, one: Seeds, points: int) -> dict[str, Tensor]:
    v, km = car_data(config, one, 10)
    speeds = torch.linspace(*config.speed, points, dtype=torch.float64)[None]
    plain = predict(with_constant(speeds), fit(with_constant(v), km))
    engineered = predict(with_constant(speeds, speeds**-2), fit(with_constant(v, v**-2), km))
    return {
        "car_v": v[0],
        "car_y": km[0],
        "car_grid": speeds[0],
        "car_curves": torch.cat([car_range(config, speeds), plain, engineered]),
    }


def _housing(config: HousingConfig, one: Seeds) -> Float64[Tensor, "3 house"]:
    area, location, _, price = housing_data(config, one, 20)
    new_area, new_location, truth, _ = housing_data(config, one, 23)
    plain = predict(
        with_constant(new_area, new_location), fit(with_constant(area, location), price)
    )
    joint = predict(
        with_constant(new_area, new_location, new_area * new_location),
        fit(with_constant(area, location, area * location), price),
    )
    return torch.cat([truth, plain, joint])
