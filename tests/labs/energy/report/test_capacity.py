import numpy as np
import pytest
import torch

from labs.energy.measure.test_capacity import CRITERION, DENSE
from pipeline.labs.energy.measure.capacity import DenseConfig, ExponentialConfig, cells
from pipeline.labs.energy.report import capacity


def measured():
    config = ExponentialConfig(seeds=(0, 1), chunk=64, criteria={"c": CRITERION})
    points = cells(DenseConfig(**DENSE), config)
    # Two seeds, half a bit below the theory and half a bit above it.
    return points, [np.array([cell.log2_theory - 0.5, cell.log2_theory + 0.5]) for cell in points]


def test_exponents_of_curves_parallel_to_the_theory_are_the_theorys():
    results = capacity.results(*measured(), {})
    for conditions in results.values():
        for condition in conditions.values():
            # A line through two points, of numbers of order 10.
            assert condition["exponent"] == pytest.approx(condition["theory"], abs=1e-12)
    assert results["E2"]["a2"]["limit"] == 1
    assert results["E3"]["c"]["n"] == 2


def test_what_states_converge_to_stands_beside_the_exponent():
    found = {"a2": {"settled_in_one": torch.tensor([0.5, 1.0])}}
    results = capacity.results(*measured(), found)
    assert results["E2"]["a2"]["settled_in_one"] == 0.75
    assert "settled_in_one" not in results["E3"]["c"]


def test_the_theory_with_ties_is_that_of_criteria_with_a_radius():
    criterion = CRITERION | {"radius": 0.25, "dimensions": (16, 24), "whole_draws": False}
    config = ExponentialConfig(seeds=(0, 1), chunk=64, criteria={"c": criterion})
    points = cells(DenseConfig(**DENSE), config)
    values = [np.array([capacity.with_ties(cell)] * 2) for cell in points]
    results = capacity.results(points, values, {})
    measured_bits = results["E3"]["c"]["bits_above_ties"]
    assert measured_bits == pytest.approx(0.0, abs=1e-12)
    assert results["E3"]["c"]["exponent"] == pytest.approx(results["E3"]["c"]["theory_ties"])
    assert results["E3"]["c"]["bits_above"] < -1  # the nearest alone says twice as many, or more
    assert "theory_ties" not in results["E2"]["a2"]


def test_the_table_holds_medians_intervals_and_theory():
    points, values = measured()
    table = capacity.table(points, values)
    assert table["experiment"].tolist() == ["E2", "E2", "E3", "E3"]
    assert table["log2_n"].tolist() == pytest.approx(table["theory"].tolist(), abs=1e-12)
    assert (table["high"] - table["low"]).tolist() == pytest.approx([1.0] * 4, abs=1e-12)
