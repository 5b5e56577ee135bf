import numpy as np
import pytest
import torch

from pipeline.labs.energy import loading, transition
from pipeline.labs.energy.loading import ClassicalConfig

CONFIG = {
    "sizes": (40, 80), "loads": (0.05, 0.3), "draws": 3, "critical_loads": (0.13, 0.15),
    "critical_draws": (6, 4), "states": 2, "compared_size": 40, "max_sweeps": 50,
    "retrieved_above": 0.7, "bootstrap": 100, "seed": 0,
}  # fmt: skip


def measured(**changes):
    config = ClassicalConfig(**(CONFIG | changes))
    cells = loading.cells(config)
    return config, transition.gather(cells, [loading.measure(cell) for cell in cells])


def test_every_condition_has_its_draws_and_states():
    config, results = measured()
    assert len(results) == 2 * 4 + 4 * 3  # sizes x loads, and loads x the other dynamics
    for (dynamics, diagonal, d, load), found in results.items():
        critical = load in config.critical_loads and (dynamics, diagonal) == ("asynchronous", False)
        expected = config.critical_draws[config.sizes.index(d)] if critical else config.draws
        assert found["overlap"].shape == (expected, 2)


def test_grouping_the_draws_changes_nothing(monkeypatch):
    _, whole = measured()
    monkeypatch.setattr(loading, "GROUP_ELEMENTS", 1)
    _, single = measured()
    for key, found in whole.items():
        for name, values in found.items():
            assert torch.equal(values, single[key][name])


def test_retrieval_is_perfect_at_low_load_and_fails_at_high_load():
    _, results = measured(sizes=(40, 200), draws=8)
    assert results["asynchronous", False, 200, 0.05]["overlap"].mean() > 0.99
    assert results["asynchronous", False, 200, 0.3]["overlap"].mean() < 0.7


def fractions(loads, steepness, critical):
    odds = -steepness * (loads - critical)
    return np.repeat((1 / (1 + np.exp(-odds)))[:, None], 50, axis=1)


def test_the_crossing_of_two_known_curves_is_found():
    loads = np.array([0.12, 0.13, 0.14, 0.15])
    smaller, larger = fractions(loads, 50, 0.138), fractions(loads, 150, 0.138)
    found = transition.crossing(loads, smaller, larger, states=1000)
    # Half a state in 50,000 is added on both sides: odds move by 1e-5, loads by 1e-6.
    assert found == pytest.approx(0.138, abs=1e-6)


def interval(draws, random):
    loads = np.array([0.12, 0.13, 0.14, 0.15])
    both = [
        random.binomial(16, np.repeat(fractions(loads, s, 0.138)[:, :1], draws, 1)) / 16
        for s in (50, 200)
    ]
    config = ClassicalConfig(**(CONFIG | {"states": 16, "bootstrap": 200}))
    return transition.crossing_interval(loads, *both, config)


def test_the_interval_covers_the_crossing_about_as_often_as_it_says():
    random = np.random.default_rng(0)
    found = [interval(60, random) for _ in range(20)]
    covered = sum(low < 0.138 < high for _, low, high in found)
    # Of 20 intervals of 95 % fewer than 15 cover with a probability of 3e-4.
    assert covered >= 15
    assert all(low < middle < high for middle, low, high in found)


def test_the_interval_narrows_with_the_draws():
    random = np.random.default_rng(1)
    few, many = interval(40, random), interval(640, random)
    # Sixteen times the draws: a quarter of the width, give or take the noise of 200 resamplings.
    assert 0.15 < (many[2] - many[1]) / (few[2] - few[1]) < 0.4


def test_metrics_name_theory_crossings_and_dynamics():
    config, results = measured()
    metrics = transition.metrics(config, results)
    assert round(metrics["theory"]["critical_load"], 4) == 0.1379
    assert "crossing_d40_d80" in metrics
    assert metrics["asynchronous_all_loads"]["uphill"] == 0
    found = metrics["asynchronous_with_diagonal"]["overlap"]
    assert found > metrics["asynchronous_no_diagonal"]["overlap"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"critical_draws": (6,)}, "critical_draws must give a number for each of the 2 sizes"),
        ({"sizes": (80, 40)}, "sizes must increase"),
        ({"compared_size": 50}, "compared_size must be one of sizes, got 50"),
        ({"loads": (0.13, 0.3)}, r"must not share a load, got \[0.13\]"),
        ({"loads": (0.02,)}, "at least 2 patterns, got 0.8"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ClassicalConfig(**(CONFIG | changes))
