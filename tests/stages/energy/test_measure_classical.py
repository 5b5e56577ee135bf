from itertools import pairwise

import pytest

from pipeline.labs.energy.report.overlaps import MeanFieldRow, OverlapRow
from pipeline.runtime.formats import records

STAGE = "energy_measure_classical"


def test_every_size_and_load_has_its_overlap_within_its_interval(chain):
    table = records.read_table(chain.made(STAGE) / "overlaps.csv", OverlapRow)
    config = chain.params(STAGE).classical
    plain = table[(table["dynamics"] == "asynchronous") & ~table["diagonal"]]
    loads = len(config.loads) + len(config.critical_loads)
    assert len(plain) == len(config.sizes) * loads
    assert ((table["low"] <= table["overlap"]) & (table["overlap"] <= table["high"])).all()
    assert table["overlap"].between(-1, 1).all()


def test_the_results_hold_theory_and_a_crossing_for_each_pair_of_sizes(chain):
    results = chain.metrics(STAGE)["E1"]
    sizes = chain.params(STAGE).classical.sizes
    for small, large in pairwise(sizes):
        crossing = results[f"crossing_d{small}_d{large}"]
        assert crossing["critical_load_low"] <= crossing["critical_load_high"]
    assert results["theory"]["critical_load"] == pytest.approx(0.1379, abs=1e-4)
    assert results["asynchronous_all_loads"]["uphill"] == 0


def test_the_theorys_curve_ends_at_its_critical_load(chain):
    theory = records.read_table(chain.made(STAGE) / "theory.csv", MeanFieldRow)
    assert theory["load"].max() == pytest.approx(0.1379, abs=1e-4)
    assert theory["overlap"].is_monotonic_decreasing
