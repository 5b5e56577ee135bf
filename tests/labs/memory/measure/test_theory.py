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
    ranked = draw(RankConfig(N=6, ranks=(2, 4), axis_aligned=(True,), logit_scale=0.3, seeds=(3,)))
    metrics, table = theory.directions(ranked, fitted(ranked, 2), 5, generators([0])[0])
    assert set(metrics) == {"aligned_rank2", "aligned_rank4"}
    assert set(table.d) == {2}
    # Of rank 2 two directions are all; of rank 4 they are two of four.
    assert metrics["aligned_rank2"]["distance"] < 0.01
    assert metrics["aligned_rank2"]["distance"] < metrics["aligned_rank2"]["random"]
    assert metrics["aligned_rank2"]["n"] == 1


def test_the_second_order_theory_names_the_seeds_of_its_rows():
    drawn = draw(AlmostRankConfig(N=5, rank=2, axis_aligned=False, high=0.3, low=0.1, seeds=(7, 9)))
    metrics, table = theory.second_order(drawn, fitted(drawn, 2))
    assert table.seed.tolist() == [7, 9]
    assert bool((table.trained <= table.second_order + 1e-9).all())
    assert bool((table.trained < table.uniform).all())
    assert metrics["vectors"]["cosine"] == pytest.approx(table.cosine.mean())
    assert metrics["vectors"]["cosine"] > metrics["vectors"]["cosine_transposed"]
