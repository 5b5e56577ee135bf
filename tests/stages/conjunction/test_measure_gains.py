import numpy as np
import pytest

from pipeline.labs.conjunction.measure.gains import GainGrid
from pipeline.runtime.formats import records

STAGE = "conjunction_measure_gains"


def test_weights_and_outputs_cover_the_grid(chain):
    config = chain.params(STAGE).gains
    grid = records.read_arrays(chain.made(STAGE) / "gains.npz", GainGrid)
    assert grid.weights.shape == (config.grid, config.grid, config.positions)
    assert (grid.z[0], grid.z[-1]) == config.gains
    # Each output is the weighted sum of the signal, weights summing to one: 20 rounded products.
    assert np.abs(grid.weights.sum(-1) - 1).max() < 1e-13
    assert np.abs(grid.weights @ grid.x - grid.output).max() < 1e-13


def test_the_results_say_how_far_attention_narrows_and_agrees_with_torch(chain):
    results, config = chain.metrics(STAGE), chain.params(STAGE)
    grid = results["C1"]["grid"]
    assert grid["effective_positions_max_gain"] < grid["effective_positions_min_gain"]
    assert grid["effective_positions_min_gain"] == pytest.approx(config.gains.positions)
    assert set(results["C2"]) == {"float32", "float64", "scaled", "unscaled"}
    widths = config.saturation.widths
    for scale in ("scaled", "unscaled"):
        assert results["C2"][scale]["n"] == config.saturation.seeds
        assert all(f"entropy_d{d}" in results["C2"][scale] for d in widths)
    for errors in (results["C2"][dtype] for dtype in ("float32", "float64")):
        assert errors["n"] == len(config.check.seeds)
        assert 0 < errors["rounding_units_max"] < 20
