import numpy as np
import pandas as pd
import pytest

from pipeline.runtime import artifacts
from pipeline.stages.conjunction._tables import LAWS, NEEDS, POINTS

STAGE = "conjunction_scaling"


def write_points(folder, law):
    """Points of learners that are solved from ``law(T)`` samples on."""
    rows = [
        (name, t, m, seed, 1.0 if m >= need(t) * (0.9 + 0.02 * seed) else 0.6, seed - 4.5)
        for name, need in law.items()
        for t in (16, 32, 64, 128)
        for m in sorted({round(2 ** (k / 4)) for k in range(12, 44)})
        for seed in range(10)
    ]
    columns = dict(zip(POINTS, zip(*rows, strict=True), strict=True))
    folder.mkdir(parents=True)
    artifacts.write_csv(folder / "points.csv", pd.DataFrame(columns))


@pytest.fixture
def made(chain, tmp_path):
    power, logarithm = {"mlp": lambda t: 5 * t**0.9}, {"one_query": lambda t: 8 * np.log2(t)}
    write_points(tmp_path / "conjunction_complexity", power)
    write_points(tmp_path / "conjunction_ablate", logarithm)
    return chain.run(STAGE, tmp_path, tmp_path / "out")


def test_known_laws_are_found(made):
    metrics = artifacts.read_json(made / "metrics.json")["C5"]
    assert set(metrics) == {f"{n}{s}" for n in ("mlp", "ablated_one_query") for s in ("", "_lean")}
    mlp, query = metrics["mlp"], metrics["ablated_one_query"]
    # Rungs of 2^(1/4) place each need within a few per cent, over a factor of 8 in T.
    assert mlp["exponent"] == pytest.approx(0.9, abs=0.05)
    assert mlp["exponent_low"] <= mlp["exponent"] <= mlp["exponent_high"]
    assert mlp["power_error"] < mlp["logarithm_error"]
    assert query["per_doubling"] == pytest.approx(8, abs=1.5)
    assert query["logarithm_error"] < query["power_error"]
    assert mlp["n"] == 10


def test_the_tables_have_a_row_for_each_t_and_learner(made):
    needs = artifacts.read_csv(made / "needs.csv", NEEDS)
    assert list(needs.positions) == [16, 32, 64, 128] * 2
    assert bool((needs.low <= needs.samples).all())
    assert bool((needs.samples <= needs.high).all())
    laws = artifacts.read_csv(made / "laws.csv", LAWS)
    assert list(laws.learner) == ["mlp", "ablated_one_query"]


def test_in_the_chain_every_learner_has_a_line(chain):
    folder = chain.made(STAGE)
    laws = artifacts.read_csv(folder / "laws.csv", LAWS)
    names = {name for name in chain.metrics(STAGE)["C5"] if not name.endswith("_lean")}
    assert set(laws.learner) == names
