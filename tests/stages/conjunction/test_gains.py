import numpy as np
import pytest

from pipeline.runtime import artifacts
from pipeline.stages.conjunction._results import GAINS

STAGE = "conjunction_gains"


def test_weights_and_outputs_cover_the_grid(chain):
    config = chain.params(STAGE).gains
    made = artifacts.read_npz(chain.made(STAGE) / "gains.npz", **GAINS)
    assert made["weights"].shape == (config.grid, config.grid, config.positions)
    assert (made["z"][0], made["z"][-1]) == config.gains
    # Each output is the weighted sum of the signal, weights summing to one: 20 rounded products.
    assert np.abs(made["weights"].sum(-1) - 1).max() < 1e-13
    assert np.abs(made["weights"] @ made["x"] - made["output"]).max() < 1e-13


def test_the_metrics_say_how_far_attention_narrows_and_agrees_with_torch(chain):
    metrics, config = chain.metrics(STAGE), chain.params(STAGE)
    grid = metrics["C1"]["grid"]
    assert grid["spread_high_gain"] < grid["spread_low_gain"]
    assert grid["spread_low_gain"] == pytest.approx(config.gains.positions)
    assert set(metrics["C2"]) == {"float32", "float64"}
    for found in metrics["C2"].values():
        assert found["n"] == len(config.check.seeds)
        assert 0 < found["rounding_units_max"] < 20
