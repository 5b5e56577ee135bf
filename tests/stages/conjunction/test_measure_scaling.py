from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from pipeline.labs.conjunction.report.scaling import SampleComplexityRow, ScalingFitRow
from pipeline.labs.conjunction.train.sample_search import SamplePoint
from pipeline.runtime.formats import artifacts, records

STAGE = "conjunction_measure_scaling"


def write_points(folder, law):
    """Points of learners that are solved from ``law(T)`` samples on."""
    rows = [
        (name, t, m, seed, 1.0 if m >= need(t) * (0.9 + 0.02 * seed) else 0.6, seed - 4.5)
        for name, need in law.items()
        for t in (16, 32, 64, 128)
        for m in sorted({round(2 ** (k / 4)) for k in range(12, 44)})
        for seed in range(10)
    ]
    table = pd.DataFrame(rows, columns=[field.name for field in fields(SamplePoint)])
    folder.mkdir(parents=True)
    records.write_table(folder / "points.csv", table, SamplePoint)


@pytest.fixture
def made(chain, tmp_path):
    power, logarithm = {"mlp": lambda t: 5 * t**0.9}, {"one_query": lambda t: 8 * np.log2(t)}
    write_points(tmp_path / "conjunction_search_learners", power)
    write_points(tmp_path / "conjunction_search_variants", logarithm)
    added = {"perfect_s2": lambda t: 4 * t, "added_l1": lambda t: 3 * t}
    write_points(tmp_path / "conjunction_search_mlp", added)
    return chain.run(STAGE, tmp_path, tmp_path / "out")


def test_known_laws_are_recovered(made):
    results = artifacts.read_json(made / "results.json")["C5"]
    names = ("mlp", "ablated_one_query")
    assert set(results) == {f"{name}{s}" for name in names for s in ("", "_by_covariance")}
    others = artifacts.read_json(made / "results.json")["C4"]
    assert {"perfect_s2", "added_l1"} <= set(others)
    assert others["added_l1"]["samples_T64"] < others["perfect_s2"]["samples_T64"]
    mlp, query = (results[name] for name in names)
    # Sizes of 2^(1/4) place each within a few per cent, over a factor of 8 in T.
    assert mlp["exponent"] == pytest.approx(0.9, abs=0.05)
    assert mlp["exponent_low"] <= mlp["exponent"] <= mlp["exponent_high"]
    assert mlp["power_law_rms"] < mlp["logarithm_rms"]
    assert query["samples_per_doubling"] == pytest.approx(8, abs=1.5)
    assert query["logarithm_rms"] < query["power_law_rms"]
    assert mlp["n"] == 10


def test_the_tables_have_a_row_for_each_t_and_learner(made):
    needed = records.read_table(made / "sample_complexity.csv", SampleComplexityRow)
    assert list(needed.positions) == [16, 32, 64, 128] * 4
    assert bool((needed.low <= needed.samples).all())
    assert bool((needed.samples <= needed.high).all())
    fits = records.read_table(made / "scaling_fits.csv", ScalingFitRow)
    learners = ["mlp", "ablated_one_query", "perfect_s2", "added_l1"]
    assert list(fits.learner) == learners
    assert list(fits.seeds) == [10] * 4


def test_in_the_chain_every_learner_has_a_line(chain):
    fits = records.read_table(chain.made(STAGE) / "scaling_fits.csv", ScalingFitRow)
    results = chain.metrics(STAGE)
    names = {name for of_all in results.values() for name in of_all}
    ends = ("_by_covariance", "_over_cls_head")
    assert set(fits.learner) == {name for name in names if not name.endswith(ends)}
