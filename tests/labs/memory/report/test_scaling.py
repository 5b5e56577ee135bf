import pandas as pd

from labs.memory.report.test_points import published, rows
from pipeline.labs.memory.report import points
from pipeline.labs.memory.report.scaling import metrics_of


def test_results_are_keyed_by_experiment_then_by_point_fit_or_all():
    runs = pd.DataFrame([*rows("P1", [0.5, 0.6]), *rows("P5", [0.5])])
    table = points.points(runs, published(("exp1_d10", 0.4, 50, 10, 10, 11)))
    metrics = metrics_of(runs, table, {"P1.linear_d3": {"slope": 1.0}, "P4.k": {"a": 2.0}})
    assert set(metrics["P1"]) == {"10_10_11_0_1", "all", "linear_d3"}
    assert metrics["P4"] == {"k": {"a": 2.0}}
    # Neither an advantage without an MLP nor an end of a sweep that was trained once.
    assert set(metrics["P5"]) == {"10_10_11_0_1"}
