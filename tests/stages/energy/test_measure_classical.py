from itertools import pairwise

import pytest

from pipeline.runtime import artifacts
from pipeline.stages.energy import _results

STAGE = "energy_classical"


def test_every_size_and_load_has_its_overlap_within_its_interval(chain):
    chain.made(STAGE)
    table = _results.Results(chain.inputs).table("classical/overlaps")
    config = chain.params(STAGE).classical
    plain = table[(table["dynamics"] == "asynchronous") & ~table["diagonal"]]
    loads = len(config.loads) + len(config.critical_loads)
    assert len(plain) == len(config.sizes) * loads
    assert ((table["low"] <= table["overlap"]) & (table["overlap"] <= table["high"])).all()
    assert table["overlap"].between(-1, 1).all()


def test_the_metrics_hold_theory_and_a_crossing_for_each_pair_of_sizes(chain):
    metrics = chain.metrics(STAGE)["E1"]
    sizes = chain.params(STAGE).classical.sizes
    for small, large in pairwise(sizes):
        found = metrics[f"crossing_d{small}_d{large}"]
        assert found["critical_load_low"] <= found["critical_load_high"]
    assert metrics["theory"]["critical_load"] == pytest.approx(0.1379, abs=1e-4)
    assert metrics["asynchronous_all_loads"]["uphill"] == 0


def test_the_theorys_curve_ends_at_its_critical_load(chain):
    theory = artifacts.read_csv(chain.made(STAGE) / "theory.csv", ["load", "overlap"])
    assert theory["load"].max() == pytest.approx(0.1379, abs=1e-4)
    assert theory["overlap"].is_monotonic_decreasing
