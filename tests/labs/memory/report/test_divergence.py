import math

import pandas as pd
import pytest

from pipeline.labs.memory.data.draw import draw
from pipeline.labs.memory.data.families import PowerConfig
from pipeline.labs.memory.report import divergence


def trained():
    """Losses of two distributions, two seeds each."""
    return pd.DataFrame(
        {
            "alpha_1": [0.5] * 4, "alpha_2": [0.15444444444444444, 0.15444444444444444, 0.9, 0.9],
            "N": 100, "d": 10, "n_heads": 1, "n_layers": 2, "mlp_width": 30,
            "distribution": [0, 0, 1, 1], "seed": [1, 2, 1, 2],
            "divergence": [0.3, 0.4, 0.5, 0.7], "uniform_divergence": [2.0, 2.0, 4.0, 4.0],
        }
    )  # fmt: skip


def optimum():
    # In another order than the models: distributions and seeds are matched, not positions.
    return pd.DataFrame(
        {
            "number": [1, 0, 1, 0],
            "seed": [2, 2, 1, 1],
            "divergence": [0.35, 0.15, 0.25, 0.1],
            "d": 10,
        }
    )


def known(**changes):
    row = {
        "alpha_1": 0.5, "alpha_2": 0.15444444444444447, "N": 100, "d": 10, "loss": 0.2,
        "unif_loss": 2.0, "best_loss": 0.1,
    }  # fmt: skip
    return pd.DataFrame([row | changes])


def test_the_optimum_of_a_distribution_stands_beside_every_model_of_it():
    joined = divergence.compared(trained(), optimum(), known())
    assert joined.low_rank_divergence.tolist() == [0.1, 0.15, 0.25, 0.35]
    assert joined.divergence.tolist() == trained().divergence.tolist()


def test_published_rows_are_found_in_spite_of_rounding():
    assert known().alpha_2[0] != trained().alpha_2[0]
    joined = divergence.compared(trained(), optimum(), known())
    assert joined.published_divergence.tolist()[:2] == [0.2, 0.2]
    assert joined.published_low_rank_divergence.tolist()[:2] == [0.1, 0.1]
    assert joined.published_divergence.isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize("other", [{"alpha_2": 0.1545}, {"alpha_1": 0.51}, {"N": 50}, {"d": 5}])
def test_a_row_of_another_distribution_or_size_is_not_it(other):
    joined = divergence.compared(trained(), optimum(), known(**other))
    assert joined.published_divergence.isna().all()
    assert divergence.against_published(joined) == {}


def test_verdicts_are_over_the_published_distributions():
    both = pd.concat([known(), known(alpha_2=0.9, loss=0.6, best_loss=0.4, unif_loss=4.0)])
    metrics = divergence.against_published(divergence.compared(trained(), optimum(), both))
    assert metrics == pytest.approx(
        {
            "distributions": 2, "n": 2, "low_rank_divergence": (0.1 + 0.15 + 0.25 + 0.35) / 4,
            "published_low_rank_divergence": 0.25, "worst_ratio_to_published": 0.15 / 0.1,
            "divergence": 1.9 / 4, "published_divergence": 0.4, "uniform_divergence": 3.0,
            "least_gap_to_low_rank": 0.3 - 0.1, "published_below_published_low_rank": 0,
        }
    )  # fmt: skip
    one = divergence.against_published(divergence.compared(trained(), optimum(), known()))
    assert (one["distributions"], one["n"], one["divergence"]) == (1, 2, pytest.approx(0.35))


def test_a_published_model_below_its_own_optimum_is_counted():
    both = pd.concat([known(), known(alpha_2=0.9, loss=0.3, best_loss=0.4, unif_loss=4.0)])
    metrics = divergence.against_published(divergence.compared(trained(), optimum(), both))
    assert metrics["published_below_published_low_rank"] == 1


def test_the_figure_s_lines_are_medians_over_seeds_a_row_a_model_and_distribution():
    table = divergence.lines(divergence.compared(trained(), optimum(), known()))
    assert set(table) == set(divergence.ScalingLineRow.__annotations__)
    assert table.alpha_2.tolist() == pytest.approx([0.15444444444444444, 0.9])
    assert table.divergence.tolist() == pytest.approx([0.35, 0.6])
    assert table.low_rank_divergence_low.tolist() == [0.1, 0.25]
    assert table.n.tolist() == [2, 2]
    assert table.published_divergence.isna().tolist() == [False, True]


def frozen(**accuracies):
    return {
        name: {"accuracy_low": low, "divergence_high": 1 - low, "n": 6}
        for name, low in accuracies.items()
    }


def test_parts_are_free_if_the_whole_interval_keeps_the_accuracy():
    measured = frozen(nothing=1.0, all_but_O=0.5, E=0.99, P=0.98, QKV=1.0)
    assert divergence.frozen_alone(measured) == {
        "parts": 3, "free": 2, "worst_accuracy_low": 0.98,
        "worst_divergence_high": pytest.approx(0.02), "n": 6,
    }  # fmt: skip
    assert divergence.frozen_alone(frozen(nothing=1.0)) == {}


def test_the_share_left_is_one_at_the_uniform_prediction_and_zero_at_the_optimum():
    drawn = draw(
        PowerConfig(N=6, support_sizes=(4, 3, 6), alpha_1=(1.0,), alpha_2=(0.5,), seeds=(3, 1))
    )
    top = [math.log(6) - float(one.entropy()) for one in drawn.distributions()]
    low_rank = pd.DataFrame({"distributions": "curves_mine", "seed": [1, 3], "divergence": 0.1})
    runs = pd.DataFrame(
        {"model": ["mine_a", "mine_a", "mine_b", "mine_b", "other_a"], "seed": [3, 1, 1, 3, 1],
         "divergence": [top[0], top[1], 0.1, (top[0] + 0.1) / 2, 9.0],
         "eval_distribution": "population"}
    )  # fmt: skip
    shares = divergence.shares_left(runs, {"mine": drawn}, low_rank)
    assert set(shares) == {"mine_a", "mine_b"}
    assert shares["mine_a"]["share_left"] == pytest.approx(1.0)
    assert shares["mine_b"]["share_left_low"] == pytest.approx(0.0)
    assert shares["mine_b"]["share_left_high"] == pytest.approx(0.5)


def test_conditions_keep_the_eval_distributions_apart():
    table = pd.DataFrame(
        {
            "model": ["a"] * 4 + ["b"] * 2,
            "eval_distribution": ["uniform", "train"] * 3,
            "accuracy": [0.2, 0.6, 0.4, 0.8, 0.1, 0.3],
            "divergence": [1.0, 1.0, 3.0, 3.0, 5.0, 5.0],
        }
    )
    metrics = divergence.conditions(table)
    assert list(metrics) == ["a", "b"]
    first = metrics["a"]
    assert (first["divergence"], first["divergence_low"], first["divergence_high"]) == (2, 1, 3)
    assert first["accuracy"] == pytest.approx(0.3)
    assert first["accuracy_train"] == pytest.approx(0.7)
    assert first["n"] == 2
    assert metrics["b"]["accuracy_train"] == 0.3


def test_baselines_are_the_uniform_predictions_and_the_low_rank_optimum():
    drawn = draw(
        PowerConfig(N=6, support_sizes=(4, 3, 6), alpha_1=(1.0,), alpha_2=(0.5,), seeds=(0, 1))
    )
    low_rank = pd.DataFrame(
        {"distributions": ["curves_mine", "curves_mine", "scaling"], "divergence": [0.1, 0.3, 9.0]}
    )
    metrics, table = divergence.baselines({"mine": drawn}, low_rank)
    entropy = float(drawn.distributions()[0].entropy())
    row = table.iloc[0]
    assert (row.distributions, row.N, row.low_rank) == ("mine", 6, pytest.approx(0.2))
    assert row.entropy == pytest.approx(entropy)
    assert row.uniform == pytest.approx(math.log(6) - entropy)
    assert metrics["mine_baselines"]["low_rank"] == pytest.approx(0.2)
    assert metrics["mine_baselines"]["uniform"] == pytest.approx(row.uniform)
