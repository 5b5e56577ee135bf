import pytest

from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import TaskConfig, label
from pipeline.labs.conjunction.measure.balance import balance, tutorial_failure_probability

TASK = TaskConfig(
    function="sparse_and_query", positions=7, targets=2, p=None, tolerance=0.2,
    identifiable=False, max_draws=100,
)  # fmt: skip


def test_the_tutorials_loop_always_fails_for_four_targets_and_hardly_ever_for_two():
    p = 0.5**0.5
    four = TASK.model_copy(update={"positions": 17, "targets": 4, "p": p})
    # 100 draws of P(90 <= Binomial(200, 1/4) <= 110) of about 1e-9.
    assert tutorial_failure_probability(four, 200) > 1 - 1e-6
    assert tutorial_failure_probability(TASK, 200) < 1e-30


def test_the_chance_that_retries_fail_is_that_of_a_simulation():
    task = TASK.model_copy(update={"p": 0.62})
    once = 1 - tutorial_failure_probability(task, 40) ** (1 / 100)
    loose = task.model_copy(update={"tolerance": None})
    data = draw_data(loose, 40, 1, range(4000))
    share = label(data.train, data.targets).mean(1)
    balanced = ((share - 0.5).abs() <= 0.05 + 1e-12).double().mean()
    # Binomial: five standard deviations over 4,000 data sets.
    assert float(balanced) == pytest.approx(once, abs=5 * (once * (1 - once) / 4000) ** 0.5)


def test_the_balance_is_of_both_sets_over_the_seeds():
    data = draw_data(TASK, 20, 30, range(5))
    results = balance(TASK, data)
    for name, bits in (("positive_fraction", data.train), ("positive_fraction_valid", data.valid)):
        fractions = label(bits, data.targets).mean(1)
        assert results[name] == float(fractions.median())
        assert results[f"{name}_high"] == float(fractions.max())
    assert results["positive_fraction_expected"] == pytest.approx(0.5)
    assert results["n"] == 5
