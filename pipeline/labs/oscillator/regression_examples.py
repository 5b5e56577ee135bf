"""What the figure of O1 draws: one draw of each example, with its fits on a grid."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.labs.oscillator.regression import (
    RegressionConfig,
    bands,
    car_data,
    car_range,
    fit,
    housing_data,
    negative_log_likelihood,
    predict,
    spring_data,
    with_constant,
)

# The arrays and their axes, as the file of them is read.
SCHEMA = {
    "spring_x": "float64 sample",
    "spring_y": "float64 sample",
    "spring_grid": "float64 point",
    "spring_fit": "float64 3 point",
    "spring_slopes": "float64 point",
    "spring_likelihood": "float64 point",
    "spring_squares": "float64 point",
    "car_v": "float64 car",
    "car_y": "float64 car",
    "car_grid": "float64 point",
    "car_curves": "float64 3 point",
    "housing_prices": "float64 3 house",
}


def examples(config: RegressionConfig, points: int = 200) -> dict[str, Float[Tensor, "..."]]:
    """Return the first seed's data and fits on a grid, for drawing.

    ``spring_*``: data, grid, fit, both half-widths; the likelihood's profile over the slope beside
    the squared error's. ``car_*``: data, grid, truth and both fits. ``housing_*``: true prices of
    new houses and both predictions.
    """
    one = config.seeds[:1]
    x, y = spring_data(config.spring, one, 0)
    grid = torch.linspace(*config.spring.position, points, dtype=torch.float64)[None]
    design = with_constant(x)
    centre, narrow, wide = bands(design, y, with_constant(grid), config.spring.confidence)
    theta = fit(design, y)
    slopes = theta[0, 1] + torch.linspace(-0.5, 0.5, points, dtype=torch.float64)
    moved = torch.stack([theta[0, :1].expand(points), slopes], dim=1)
    many, same = design.expand(points, -1, -1), y.expand(points, -1)
    sigma = torch.full((points,), config.spring.noise, dtype=torch.float64)
    v, km = car_data(config.car, one, 10)
    speeds = torch.linspace(*config.car.speed, points, dtype=torch.float64)[None]
    area, location, _, price = housing_data(config.housing, one, 20)
    new_area, new_location, truth, _ = housing_data(config.housing, one, 23)
    return {
        "spring_x": x[0],
        "spring_y": y[0],
        "spring_grid": grid[0],
        "spring_fit": torch.stack([centre[0], narrow[0], wide[0]]),
        "spring_slopes": slopes,
        "spring_likelihood": negative_log_likelihood(many, same, moved, sigma),
        "spring_squares": (same - predict(many, moved)).square().mean(1),
        "car_v": v[0],
        "car_y": km[0],
        "car_grid": speeds[0],
        "car_curves": torch.cat(
            [
                car_range(config.car, speeds),
                predict(with_constant(speeds), fit(with_constant(v), km)),
                predict(with_constant(speeds, speeds**-2), fit(with_constant(v, v**-2), km)),
            ]
        ),
        "housing_prices": torch.cat(
            [
                truth,
                predict(
                    with_constant(new_area, new_location),
                    fit(with_constant(area, location), price),
                ),
                predict(
                    with_constant(new_area, new_location, new_area * new_location),
                    fit(with_constant(area, location, area * location), price),
                ),
            ]
        ),
    }
