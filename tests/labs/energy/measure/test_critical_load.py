import numpy as np
import pytest

from labs.energy.measure.test_overlaps import CONFIG
from pipeline.labs.energy.measure import critical_load
from pipeline.labs.energy.measure.overlaps import ClassicalConfig


def fractions(loads, steepness, critical):
    odds = -steepness * (loads - critical)
    return np.repeat((1 / (1 + np.exp(-odds)))[:, None], 50, axis=1)


def test_the_crossing_of_two_known_curves_is_found():
    loads = np.array([0.12, 0.13, 0.14, 0.15])
    smaller, larger = fractions(loads, 50, 0.138), fractions(loads, 150, 0.138)
    load = critical_load.crossing(loads, smaller, larger, states=1000)
    # Half a state in 50,000 is added on both sides: odds move by 1e-5, loads by 1e-6.
    assert load == pytest.approx(0.138, abs=1e-6)


def interval(draws, random):
    loads = np.array([0.12, 0.13, 0.14, 0.15])
    both = [
        random.binomial(16, np.repeat(fractions(loads, s, 0.138)[:, :1], draws, 1)) / 16
        for s in (50, 200)
    ]
    config = ClassicalConfig(**(CONFIG | {"states": 16, "bootstrap": 200}))
    return critical_load.crossing_interval(loads, *both, config)


def test_the_interval_covers_the_crossing_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    intervals = [interval(60, random) for _ in range(20)]
    covered = sum(low < 0.138 < high for _, low, high in intervals)
    # Of 20 intervals of 95 % fewer than 15 cover with a probability of 3e-4.
    assert covered >= 15
    assert all(low < middle < high for middle, low, high in intervals)


def test_the_interval_narrows_with_the_draws():
    random = np.random.default_rng(1)
    few, many = interval(40, random), interval(640, random)
    # Sixteen times the draws: a quarter of the width, give or take the noise of 200 resamplings.
    assert 0.15 < (many[2] - many[1]) / (few[2] - few[1]) < 0.4
