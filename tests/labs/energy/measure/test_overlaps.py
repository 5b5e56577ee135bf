import pytest
import torch

from pipeline.labs.energy.measure import overlaps
from pipeline.labs.energy.measure.overlaps import ClassicalConfig
from pipeline.labs.energy.report import overlaps as report

CONFIG = {
    "sizes": (40, 80), "loads": (0.05, 0.3), "draws": 3, "critical_loads": (0.13, 0.15),
    "critical_draws": (6, 4), "states": 2, "compared_size": 40, "max_sweeps": 50,
    "retrieved_above": 0.7, "bootstrap": 100, "seed": 0,
}  # fmt: skip


def measured(**changes):
    config = ClassicalConfig(**(CONFIG | changes))
    cells = overlaps.cells(config)
    return config, report.gather(cells, [overlaps.measure(cell) for cell in cells])


def test_every_condition_has_its_draws_and_states():
    config, draws = measured()
    assert len(draws) == 2 * 4 + 4 * 3  # sizes x loads, and loads x the other dynamics
    for (dynamics, diagonal, d, load), values in draws.items():
        critical = load in config.critical_loads and (dynamics, diagonal) == ("asynchronous", False)
        expected = config.critical_draws[config.sizes.index(d)] if critical else config.draws
        assert values["overlap"].shape == (expected, 2)


def test_grouping_the_draws_changes_nothing(monkeypatch):
    _, whole = measured()
    monkeypatch.setattr(overlaps, "GROUP_ELEMENTS", 1)
    _, single = measured()
    for key, draws in whole.items():
        for name, values in draws.items():
            assert torch.equal(values, single[key][name])


def test_a_cell_of_more_spins_or_more_patterns_costs_more():
    cells = overlaps.cells(ClassicalConfig(**CONFIG))
    largest = max(cells, key=lambda cell: cell.cost)
    assert (largest.d, largest.load) == (80, 0.3)


def test_retrieval_is_perfect_at_low_load_and_fails_at_high_load():
    _, draws = measured(sizes=(40, 200), draws=8)
    assert draws["asynchronous", False, 200, 0.05]["overlap"].mean() > 0.99
    assert draws["asynchronous", False, 200, 0.3]["overlap"].mean() < 0.7


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
