import numpy as np
import pytest

from labs.energy.measure.test_retrieval import RETRIEVAL
from pipeline.labs.energy.measure import retrieval as measure
from pipeline.labs.energy.report import retrieval


def test_violations_are_counted_beyond_rounding():
    queries = measure.OneStep(
        beta_delta=np.ones(4),
        retrieval_error=np.array([0.5, 0.5, 1e-16, 0.0]),
        bound=np.array([0.4, 0.6, 0.0, 0.0]),
        trivial=np.full(4, 0.5),
    )
    results = retrieval.results(RETRIEVAL, measure.descent(RETRIEVAL), queries)
    # The second bound says nothing: no error can exceed 0.5 there.
    assert results["one_step"] == {
        "bound_violations": 1 / 3, "bound_below_trivial": 0.75, "n": 3, "n_all": 4,
    }  # fmt: skip
    assert results["attention"]["difference_high"] < 1e-14
    assert set(results) == {"attention", "one_step", "gamma_0.5", "gamma_2", "gamma_2.5"}


def test_the_table_has_a_row_for_each_gamma():
    steps = measure.descent(RETRIEVAL)
    table = retrieval.uphill_table(RETRIEVAL, steps)
    assert table["gamma"].tolist() == [0.5, 2.0, 2.5]
    assert table["uphill"].tolist() == pytest.approx(steps.uphill.mean(1).tolist(), abs=1e-15)
    assert table["n"].tolist() == [2, 2, 2]
