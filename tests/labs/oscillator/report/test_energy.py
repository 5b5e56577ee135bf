import numpy as np
import pytest
import torch

from pipeline.core.stats.intervals import summary
from pipeline.labs.oscillator.data.splits import solved
from pipeline.labs.oscillator.report.energy import (
    CONSERVED,
    energy_in_time,
    energy_table,
    verdict,
)


def measured(drift, spread):
    values = {"one_step": 1.0, "energy_drift": drift, "energy_spread": spread}
    return summary(
        {name: torch.tensor([value] * 3, dtype=torch.float64) for name, value in values.items()}
    )


RESULTS = {
    "O3": {"good": measured(CONSERVED / 2, CONSERVED / 3), "edge": measured(CONSERVED, 0.0)},
    "O5": {"drifts": measured(1.1 * CONSERVED, 0.0), "dmd": measured(0.0, 0.0)},
    "O6": {"attention": measured(0.0, 0.0), "spreads": measured(0.0, 1.0)},
    "O7": {"likelihood": measured(0.0, 0.0)},
}


def test_the_table_has_drift_and_spread_of_every_model_and_nothing_else():
    rows = energy_table(RESULTS)
    assert set(rows.quantity) == {"energy_drift", "energy_spread"}
    assert len(rows) == 2 * 7
    assert not rows.duplicated(["experiment", "condition", "quantity"]).any()


def test_who_conserves_energy_is_counted_once_and_without_oracles():
    told = verdict(energy_table(RESULTS))
    assert (told.conserving, told.models) == (2, 4)


def test_a_verdict_needs_both_drift_and_spread():
    only = {"O5": {"drifts": measured(1.0, 0.0), "spreads": measured(0.0, 1.0)}}
    told = verdict(energy_table(only))
    assert (told.conserving, told.models) == (0, 2)


def test_the_energy_in_time_is_the_logarithm_of_its_ratio_to_the_exact_one():
    ones = torch.ones(3, dtype=torch.float64)
    start = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 2.0]], dtype=torch.float64)
    test = solved(start, 2 * ones, 0 * ones, 0.1, 6)
    predicted = torch.stack([test.states[:, 1:], 2 * test.states[:, 1:], 2 * test.states[:, 1:]])
    found = energy_in_time(predicted, test)
    np.testing.assert_allclose(found.ratio[0], np.log(4), rtol=1e-12)
    np.testing.assert_allclose(found.ratio[1], 0.0, atol=1e-15)
    assert found.example.shape == (3, 5)
    assert found.example[0] == pytest.approx(0.0, abs=1e-15)
