import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.labs.energy.report import recall as report

STEPS = (10, 20, 30)
ACCURACY = {"task": [[0.2, 0.95, 1.0], [0.1, 0.3, 0.99]], "other": [[0.1, 0.1, 0.2]] * 2}


def history():
    rows = [
        {"model": name, "seed": seed, "step": step, "validation_accuracy": accuracy[seed][k],
         "match": accuracy[seed][k] / 2, "alignment": 0.1 * k, "other_alignment": 0.3 * k}
        for name, accuracy in ACCURACY.items()
        for seed in (0, 1)
        for k, step in enumerate(STEPS)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_the_first_step_at_a_level_is_found_and_a_seed_that_never_learns_is_the_latest():
    steps, values = report.series(history(), "task", "validation_accuracy")
    assert report.first_step(steps, values, 0.9).tolist() == [20.0, 30.0]
    assert report.first_step(steps, values, torch.tensor([0.96, 0.2])).tolist() == [30.0, 20.0]
    assert report.first_step(steps, values, 2.0).tolist() == [40.0, 40.0]
    assert report.first_step(np.array([5]), np.array([[0.1]]), 0.5).tolist() == [6.0]


def test_models_are_judged_by_how_they_end_and_by_the_baselines_steps():
    found = report.learning(history(), ["task", "other"], "task")
    assert found["task_learning"]["solved"] == 1.0
    assert found["other_learning"]["solved"] == 0.0
    assert found["task_learning"]["extra_steps"] == 0
    assert found["other_learning"]["extra_steps_low"] == 10
    assert found["other_learning"]["final"] == pytest.approx(0.2)


def test_the_curve_tells_when_queries_come_to_match():
    found = report.curve(history(), "task", torch.tensor([0.1, 0.1], dtype=torch.float64))
    assert found["match_before"] == 0.1
    assert found["match_after"] == pytest.approx((0.5 + 0.495) / 2)
    # Half-way from 0.1 to 0.5 (0.495) is passed at 20 (30); of the accuracy, too.
    assert found["match_step"] == 25
    assert found["lead"] == 0
    assert found["alignment_excess"] == pytest.approx(-0.4)
    assert found["largest_excess"] == 0


def test_factors_are_powers_of_two_around_one():
    assert report.factors(2) == [0.25, 0.5, 1.0, 2.0, 4.0]


def test_the_temperature_table_is_the_summaries():
    found = {0.5: {"accuracy": 0.2, "accuracy_low": 0.1, "accuracy_high": 0.3, "n": 6}}
    table = report.temperature_table(found)
    assert table.to_dict("records") == [
        {"factor": 0.5, "quantity": "accuracy", "median": 0.2, "low": 0.1, "high": 0.3, "n": 6}
    ]
