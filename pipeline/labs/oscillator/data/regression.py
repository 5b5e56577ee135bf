"""O1's data, whose truth is known (study, post 1): a spring, a car's range, the price of houses."""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import AfterValidator, Field, model_validator
from torch import Tensor

from pipeline.bounds import Positive, Real, refuse_large
from pipeline.config import Interval, Section, Seeds, increasing
from pipeline.core.training.sampling import generators

Column = Float[Tensor, "draw sample"]


class SpringConfig(Section):
    """W = stiffness x + offset + noise: ``samples`` measurements at positions in ``position``."""

    stiffness: Positive
    offset: Real
    noise: Positive
    position: Interval
    samples: Annotated[int, Field(ge=4, le=10**6)]
    confidence: Annotated[float, Field(gt=0, lt=1)]


class RangeConfig(Section):
    """Range of a car, battery / (rolling + drag v^2), in km at v in km/h, measured with noise."""

    battery: Positive
    rolling: Positive
    drag: Annotated[float, Field(ge=1e-9, le=1e6)]
    speed: Annotated[tuple[Positive, Positive], AfterValidator(increasing)]  # a feature is 1/v^2
    noise: Positive
    samples: Annotated[int, Field(ge=4, le=10**6)]


class HousingConfig(Section):
    """Price = base + per_area a + per_location l + interaction a l + noise.

    Area a and location l are standard normal and correlated.
    """

    base: Real
    per_area: Real
    per_location: Real
    interaction: Real
    correlation: Annotated[float, Field(gt=-1, lt=1)]
    noise: Positive
    samples: Annotated[int, Field(ge=6, le=10**6)]


class RegressionConfig(Section):
    """The three examples; each seed draws training and test data of its own."""

    seeds: Annotated[Seeds, Field(min_length=2)]  # an interval of a mean needs two
    spring: SpringConfig
    car: RangeConfig
    housing: HousingConfig

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "RegressionConfig":
        samples = max(self.spring.samples, self.car.samples, self.housing.samples)
        refuse_large("seeds * samples * 8", len(self.seeds), samples, 8)
        return self


def uniform(seeds: Seeds, purpose: int, count: int, bounds: tuple[float, float]) -> Column:
    """Draw [draw, sample] uniformly, each draw from its own seed."""
    streams = generators(seeds, purpose)
    drawn = torch.stack([torch.rand(count, generator=g, dtype=torch.float64) for g in streams])
    return bounds[0] + (bounds[1] - bounds[0]) * drawn


def normal(seeds: Seeds, purpose: int, count: int) -> Column:
    """Draw [draw, sample] from the standard normal, each draw from its own seed."""
    streams = generators(seeds, purpose)
    return torch.stack([torch.randn(count, generator=g, dtype=torch.float64) for g in streams])


def spring_data(config: SpringConfig, seeds: Seeds, purpose: int) -> tuple[Column, Column]:
    """Draw positions and measured weights."""
    x = uniform(seeds, purpose, config.samples, config.position)
    noise = config.noise * normal(seeds, purpose + 1, config.samples)
    return x, config.offset + config.stiffness * x + noise


def car_range(config: RangeConfig, speed: Column) -> Column:
    """Return the true range in km: battery energy over rolling resistance and drag."""
    return config.battery / (config.rolling + config.drag * speed**2)


def car_data(config: RangeConfig, seeds: Seeds, purpose: int) -> tuple[Column, Column]:
    """Draw speeds (km/h) and measured ranges (km)."""
    v = uniform(seeds, purpose, config.samples, config.speed)
    return v, car_range(config, v) + config.noise * normal(seeds, purpose + 1, config.samples)


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
