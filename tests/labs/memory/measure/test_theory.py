import pandas as pd
import pytest

from pipeline.core.nn.layers import concatenate
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data.draw import draw
from pipeline.labs.memory.data.families import AlmostRankConfig, RankConfig
from pipeline.labs.memory.measure import theory
from pipeline.labs.memory.train.low_rank import FitConfig, fit

FIT = FitConfig(iterations=200, work=10**9, history=10, neglected=0.0, floor=1e-4)


def fitted(drawn, d):
    return concatenate([fit(p, d, FIT, generators([0])[0])[0] for p in drawn.distributions()])


def test_a_distribution_of_that_rank_has_its_directions_found_again():
    ranked = draw(
        RankConfig(N=6, ranks=(2, 4), axis_aligned=(True,), logit_scales=(0.3, 1.0), seeds=(3,))
    )
    table = theory.directions(ranked, fitted(ranked, 2), 5, generators([0])[0])
    assert table.logit_scale.tolist() == [0.3, 0.3, 1.0, 1.0]
    assert set(table.d) == {2}
    ranks, scales = theory.by_rank(table), theory.by_scale(table)
    assert set(ranks) == {"aligned_rank2", "aligned_rank4"}
    assert set(scales) == {"aligned_scale_0.3", "aligned_scale_1"}
    # Of rank 2 two directions are all; of rank 4 they are two of four.
    assert ranks["aligned_rank2"]["distance"] < 0.01
    assert ranks["aligned_rank2"]["spanned"]
    assert ranks["aligned_rank2"]["n"] == 1
    assert scales["aligned_scale_0.3"] == ranks["aligned_rank4"]
    # Logits three times as large are further from a uniform prediction.
    assert scales["aligned_scale_1"]["uniform"] > scales["aligned_scale_0.3"]["uniform"]


@pytest.mark.parametrize(("distance", "spanned"), [(0.9, True), (1.1, False)])
def test_directions_are_spanned_below_half_of_a_random_distance(distance, spanned):
    table = pd.DataFrame(
        {"alignment": "aligned", "rank": 3, "logit_scale": 1.0, "distance": [0.1, distance],
         "distance_to_W": 0.0, "random": [2.0, 3.0], "uniform": 0.5}
    )  # fmt: skip
    assert theory.by_rank(table)["aligned_rank3"]["spanned"] is spanned


ALMOST = AlmostRankConfig(
    N=5, rank=2, axis_aligned=False, high=0.3, low=0.1, logit_scales=(1.0, 20.0), seeds=(7, 9)
)


def test_the_second_order_theory_is_of_every_scale_and_seed():
    drawn = draw(ALMOST)
    table = theory.second_order(drawn, fitted(drawn, 2))
    assert list(zip(table.logit_scale, table.seed, strict=True)) == [
        (1.0, 7), (1.0, 9), (20.0, 7), (20.0, 9),
    ]  # fmt: skip
    assert bool((table.trained <= table.second_order + 1e-9).all())
    assert bool((table.trained < table.uniform).all())
    metrics = theory.explained(table)
    assert set(metrics) == {"scale_1", "scale_20", "verdict"}
    near, far = metrics["scale_1"], metrics["scale_20"]
    assert near["cosine"] > near["cosine_transposed"]
    # What is left out is of third order: larger logits cost more than in proportion.
    assert far["error_second_order"] > 5 * near["error_second_order"]


def row(scale, uniform, **changes):
    plain = dict.fromkeys(theory.TheoryRow.__annotations__, 0.1)
    errors = {"error_second_order": 0.1, "error_truncated": 0.3, "cosine": 0.999}
    return plain | errors | {"logit_scale": scale, "seed": 0, "uniform": uniform} | changes


def test_the_rule_counts_only_distributions_far_from_uniform():
    near, far = row(1.0, 0.01), row(10.0, 0.6)
    assert theory.explained(pd.DataFrame([near, far]))["verdict"] == {"scales": 1, "explained": 1}
    assert theory.explained(pd.DataFrame([near]))["verdict"] == {"scales": 0, "explained": 0}


@pytest.mark.parametrize("change", [{"cosine": 0.98}, {"error_truncated": 0.19}])
def test_the_rule_needs_the_direction_and_the_lead_over_the_plain_decomposition(change):
    table = pd.DataFrame([row(10.0, 0.6, **change)])
    assert theory.explained(table)["verdict"] == {"scales": 1, "explained": 0}
