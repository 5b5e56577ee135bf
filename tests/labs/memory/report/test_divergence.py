import pandas as pd
import pytest

from pipeline.labs.memory import tables


def trained():
    """Losses of two distributions, two seeds each."""
    return pd.DataFrame(
        {
            "alpha_1": [0.5] * 4, "alpha_2": [0.15444444444444444, 0.15444444444444444, 0.9, 0.9],
            "N": 100, "d": 10, "distribution": [0, 0, 1, 1], "seed": [1, 2, 1, 2],
            "loss": [0.3, 0.4, 0.5, 0.7], "unif_loss": [2.0, 2.0, 4.0, 4.0],
        }
    )  # fmt: skip


def optimum():
    # In another order than the models: distributions and seeds are matched, not positions.
    return pd.DataFrame(
        {"distribution": [1, 0, 1, 0], "seed": [2, 2, 1, 1], "loss": [0.35, 0.15, 0.25, 0.1], "d": 10}
    )


def known(**changes):
    row = {
        "alpha_1": 0.5, "alpha_2": 0.15444444444444447, "N": 100, "d": 10, "loss": 0.2,
        "unif_loss": 2.0, "best_loss": 0.1,
    }  # fmt: skip
    return pd.DataFrame([row | changes])


def test_the_optimum_of_a_law_stands_beside_every_model_of_it():
    joined = tables.low_rank_table(trained(), optimum(), known())
    assert joined.best_loss.tolist() == [0.1, 0.15, 0.25, 0.35]
    assert joined.loss.tolist() == trained().loss.tolist()


def test_published_rows_are_found_in_spite_of_rounding():
    assert known().alpha_2[0] != trained().alpha_2[0]
    joined = tables.low_rank_table(trained(), optimum(), known())
    assert joined.published_loss.tolist()[:2] == [0.2, 0.2]
    assert joined.published_best_loss.tolist()[:2] == [0.1, 0.1]
    assert joined.published_loss.isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize("other", [{"alpha_2": 0.1545}, {"alpha_1": 0.51}, {"N": 50}, {"d": 5}])
def test_a_row_of_another_law_or_size_is_not_it(other):
    joined = tables.low_rank_table(trained(), optimum(), known(**other))
    assert joined.published_loss.isna().all()
    assert tables.low_rank_metrics(joined) == {}


def test_verdicts_are_over_the_published_laws():
    both = pd.concat([known(), known(alpha_2=0.9, loss=0.6, best_loss=0.4, unif_loss=4.0)])
    metrics = tables.low_rank_metrics(tables.low_rank_table(trained(), optimum(), both))
    assert metrics == pytest.approx(
        {
            "distributions": 2, "n": 2, "best_loss": (0.1 + 0.15 + 0.25 + 0.35) / 4,
            "published_best_loss": 0.25, "worst_ratio_to_published": 0.15 / 0.1,
            "loss": 1.9 / 4, "published_loss": 0.4, "unif_loss": 3.0,
            "least_gap_to_best": 0.3 - 0.1,
        }
    )  # fmt: skip
    one = tables.low_rank_metrics(tables.low_rank_table(trained(), optimum(), known()))
    assert (one["distributions"], one["n"], one["loss"]) == (1, 2, pytest.approx(0.35))


def test_conditions_keep_the_yardsticks_apart():
    table = pd.DataFrame(
        {
            "model": ["a"] * 4 + ["b"] * 2,
            "eval_distribution": ["uniform", "train"] * 3,
            "accuracy": [0.2, 0.6, 0.4, 0.8, 0.1, 0.3],
            "loss": [1.0, 1.0, 3.0, 3.0, 5.0, 5.0],
        }
    )
    metrics = tables.conditions(table)
    assert list(metrics) == ["a", "b"]
    own = metrics["a"]
    assert (own["divergence"], own["divergence_low"], own["divergence_high"]) == (2, 1, 3)
    assert own["accuracy"] == pytest.approx(0.3)
    assert own["accuracy_train"] == pytest.approx(0.7)
    assert own["n"] == 2
    assert metrics["b"]["accuracy_train"] == 0.3
