import numpy as np
import pandas as pd
import pytest

from pipeline.figures.energy.retrieval import MOST, retrieval
from pipeline.figures.style import FLOOR
from pipeline.labs.energy.measure.retrieval import OneStep

STEPS = pd.DataFrame(
    {"gamma": [1.0, 2.0, 2.5], "uphill": [0.0, 0.01, 0.5], "low": [0.0, 0.0, 0.4],
     "high": [0.0, 0.03, 0.6], "n": [8, 8, 8]}
)  # fmt: skip


def queries(count):
    delta = np.linspace(5, 0.1, count)
    return OneStep(beta_delta=delta, retrieval_error=delta / 10, bound=delta / 5, trivial=2 * delta)


def drawn(style, count=10, violations=0.2):
    results = {"one_step": {"bound_violations": violations, "n": count}}
    return retrieval(style, STEPS, queries(count), results)


def test_the_title_counts_violations_and_quotes_the_worst_gamma_up_to_two(style):
    title = drawn(style).get_suptitle()
    assert "2 of the 10 queries with a bound below the trivial" in title.replace("\n", " ")
    assert "at most a fraction of 0.03 goes uphill" in title


def test_errors_and_bounds_are_drawn_in_order_of_separation(style, assert_labelled):
    figure = drawn(style)
    error, bound, trivial = figure.axes[0].lines
    assert trivial.get_ydata() == [10, 10]  # 2 M of the farthest
    x = np.linspace(0.1, 5, 10)
    np.testing.assert_allclose(error.get_xydata(), np.stack([x, x / 10], axis=1))
    np.testing.assert_allclose(bound.get_xydata(), np.stack([x, x / 5], axis=1))
    assert error.get_label() == "a query's error after one step"
    assert figure.axes[0].get_title() == "10 of the queries"
    assert_labelled(figure)


def test_of_many_queries_every_kth_is_drawn_and_the_title_says_how_many(style):
    panel = drawn(style, 2 * MOST).axes[0]
    assert len(panel.lines[0].get_xdata()) == MOST
    assert panel.get_title() == f"{MOST} of the queries"


def test_an_error_of_zero_is_drawn_at_the_floor(style):
    exact = OneStep(
        beta_delta=np.ones(1), retrieval_error=np.zeros(1), bound=np.ones(1), trivial=np.ones(1)
    )
    results = {"one_step": {"bound_violations": 0.0, "n": 1}}
    error = retrieval(style, STEPS, exact, results).axes[0].lines[0]
    assert error.get_ydata().tolist() == [FLOOR]


def test_uphill_steps_are_a_band_over_seeds(style, bands):
    right = drawn(style).axes[1]
    assert right.lines[0].get_ydata().tolist() == [0.0, 0.01, 0.5]
    (outline,) = bands(right)
    assert outline[:, 1].max() == pytest.approx(0.6)
    assert right.get_title() == "median of 8 seeds, interval"


def test_the_same_numbers_are_the_same_bytes(style, assert_same_bytes):
    assert_same_bytes(lambda: drawn(style))
