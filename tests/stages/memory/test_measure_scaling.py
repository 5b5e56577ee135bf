import pandas as pd
import pytest

STAGE = "memory_measure_scaling"


def test_every_point_stands_beside_its_bounds(chain):
    points = pd.read_csv(chain.made(STAGE) / "points.csv")
    own = points[(points.model == "d3_h2") & (points.experiment == "P1")]
    assert set(own.eval_distribution) == {"uniform", "train"}
    # N = 8, H = 2, d = d_h = 3: (1 - 1/8) (6 + 3) / 64 + 1/8.
    assert own.bound.tolist() == pytest.approx([7 / 8 * 9 / 64 + 1 / 8] * 2)
    assert own.earlier_bound.tolist() == pytest.approx([7 / 8 * 5 / 64 + 1 / 8] * 2)


def test_metrics_have_points_and_fits(chain):
    metrics = chain.metrics(STAGE)
    # P4 takes the logarithms of slopes, which after a few steps need not rise.
    twice = {name + end for name in ("P5", "P6", "P7") for end in ("", "_quarter")}
    assert {"P1", "P1_published", "P2", "P3"} | twice == set(metrics) - {"P4"}
    assert metrics["P6"]["ending"]["models"] == 2
    assert metrics["P7"]["all"]["n"] == metrics["P7"]["depth_d3_h1_l3"]["n"] == 2
    assert metrics["P1"]["d3_h1"]["n"] == 2
    slope = metrics["P1"]["linear_d3"]
    assert slope["slope_low"] <= slope["slope"] <= slope["slope_high"]
    assert (
        metrics["P3"]["piecewise"]["breakpoint_low"]
        <= metrics["P3"]["piecewise"]["breakpoint_high"]
    )
    assert "mlp_advantage" in metrics["P5"]["all"]


def test_medians_lie_in_their_intervals(chain):
    points = pd.read_csv(chain.made(STAGE) / "points.csv")
    assert bool((points.accuracy_low <= points.accuracy).all())
    assert bool((points.accuracy <= points.accuracy_high).all())
