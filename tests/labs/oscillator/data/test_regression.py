import numpy as np
import pytest
import torch
from pydantic import ValidationError

from pipeline.labs.oscillator.data.regression import (
    HousingConfig,
    RangeConfig,
    SpringConfig,
    car_range,
    housing_data,
    spring_data,
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


def test_a_draw_does_not_depend_on_the_others():
    together = spring_data(SPRING, (3, 7), 0)
    for k, seed in enumerate((3, 7)):
        for all_draws, alone in zip(together, spring_data(SPRING, (seed,), 0), strict=True):
            assert torch.equal(all_draws[k], alone[0])


def test_the_car_s_range_is_its_battery_over_its_consumption():
    speed = torch.tensor([[100.0]], dtype=torch.float64)
    # 60 kWh / (0.1 + 0.12) kWh/km
    assert float(car_range(CAR, speed)) == pytest.approx(60 / 0.22)


def test_areas_and_locations_are_correlated_as_configured():
    area, location, truth, price = housing_data(HOUSING, tuple(range(200)), 0)
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
