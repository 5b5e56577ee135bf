import math

import pandas as pd
import pytest
import torch

from pipeline.labs.memory.report import sizes
from pipeline.labs.memory.train.sizes import EARLY, EXPERIMENT

BASE = {"N": 8, "d": 4, "n_heads": 2, "mlp_width": 0, "n_layers": 1}
HEADS = (1, 2, 4, 8)
SEEDS = range(6)


def runs():
    """Losses that fall as 2 / sqrt(heads), the same on every seed; early ones are twice as far."""
    rows = [
        {**BASE, "n_heads": heads, "seed": seed, "experiment": experiment, "accuracy": 0.5,
         "model": f"h{heads}", "eval_distribution": "population",
         "divergence": factor * 2 * heads**-0.5 * (1 + 0.001 * seed)}
        for heads in HEADS
        for seed in SEEDS
        for experiment, factor in ((EXPERIMENT, 1), (EARLY, 2))
    ]  # fmt: skip
    samples = [row | {"eval_distribution": "train", "divergence": 99.0} for row in rows]
    return pd.DataFrame(rows + samples)


def low_rank(value=0.1):
    rows = [{"N": 8, "d": 4, "seed": seed, "divergence": value} for seed in SEEDS]
    return pd.DataFrame(rows)


def rows(floor=0.1):
    return sizes.joined(runs(), low_rank(floor), {8: torch.full((6,), 3.0)})


def test_every_model_stands_beside_its_baselines_once():
    table = rows()
    assert len(table) == len(HEADS) * len(SEEDS) * 2
    assert set(table.uniform) == {3.0}
    assert (table.above_low_rank - table.divergence + 0.1).abs().max() < 1e-12


def test_a_power_law_of_the_heads_is_found_at_both_budgets():
    metrics = sizes.along_axes(rows(), BASE)
    law = metrics["along_n_heads"]
    assert law["exponent"] == pytest.approx(-0.5, abs=1e-9)
    assert law["bend"] == pytest.approx(0, abs=1e-9)
    assert (law["n"], law["sizes"]) == (6, 4)
    assert law["ratio"] == pytest.approx(8**-0.5)
    assert law["exponential_minus_power_low"] > 0
    assert metrics["along_n_heads_early"]["exponent"] == pytest.approx(-0.5, abs=1e-9)
    # Above a floor of 0.1 the same losses bend: they are no power law.
    above = metrics["along_n_heads_above_low_rank"]
    assert not above["power_law"]
    assert above["bend_high"] < 0


def test_an_axis_of_one_size_has_no_law():
    assert not [name for name in sizes.along_axes(rows(), BASE) if "along_N" in name]


def test_no_law_is_taken_of_losses_below_the_optimum():
    metrics = sizes.along_axes(rows(floor=5.0), BASE)
    assert "along_n_heads_above_low_rank" not in metrics
    assert sizes.least_gap(rows(floor=5.0))["least_gap_to_low_rank"] < 0


def test_an_axis_holds_the_other_sizes_at_the_base():
    table = rows()
    table.loc[table.n_heads == 8, "d"] = 5
    assert set(sizes.on_axis(table, "n_heads", BASE).n_heads) == {1, 2, 4}


def test_the_notebook_s_point_says_what_is_left_of_the_way():
    point = sizes.point(rows(), 8, BASE)
    loss = 2 / 2**0.5 * 1.0025
    assert point["divergence"] == pytest.approx(loss)
    assert point["share_left"] == pytest.approx((loss - 0.1) / 2.9)
    assert (point["uniform"], point["low_rank"], point["n"]) == (3.0, 0.1, 6)


def test_the_figure_has_a_row_a_point_of_each_axis():
    table = sizes.points(rows(), BASE)
    heads = table[table.axis == "n_heads"]
    assert heads["size"].tolist() == list(HEADS)
    assert heads.early.tolist() == pytest.approx((2 * heads.divergence).tolist())
    assert set(table.n) == {6}
    assert set(table.axis) == set(sizes.AXES)
    assert not any(math.isnan(value) for value in table.low_rank)
