import numpy as np
import pytest

from labs.energy.measure.test_overlaps import measured
from pipeline.labs.energy.report import overlaps


def test_results_name_theory_crossings_and_dynamics():
    config, draws = measured()
    results = overlaps.results(config, draws)
    assert round(results["theory"]["critical_load"], 4) == 0.1379
    assert "crossing_d40_d80" in results
    assert results["asynchronous_all_loads"]["uphill"] == 0
    with_diagonal = results["asynchronous_with_diagonal"]["overlap"]
    assert with_diagonal > results["asynchronous_no_diagonal"]["overlap"]


def test_a_row_of_the_table_is_what_the_draws_of_its_condition_say():
    config, draws = measured()
    table = overlaps.overlap_table(config, draws)
    assert len(table) == len(draws)
    for row, ((dynamics, diagonal, d, load), values) in zip(
        table.itertuples(), draws.items(), strict=True
    ):
        assert (row.dynamics, row.diagonal, row.d, row.load) == (dynamics, diagonal, d, load)
        assert row.n == len(values["overlap"])
        # Means of a dozen numbers of order 1.
        assert row.mean == pytest.approx(values["overlap"].mean().item(), abs=1e-15)
        assert row.overlap == pytest.approx(np.median(values["overlap"].mean(1)), abs=1e-15)
        assert row.retrieved == (values["overlap"] > 0.7).double().mean().item()


def test_the_theorys_curve_ends_at_its_critical_load():
    table = overlaps.mean_field_table(np.array([0.05, 0.13, 0.2]))
    assert table["load"].tolist() == pytest.approx([0.05, 0.13, 0.137905], abs=1e-6)
    assert table["overlap"].is_monotonic_decreasing
