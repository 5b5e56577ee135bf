import torch

from labs.energy.models.test_heads import at_work
from pipeline.labs.energy.measure.trained import rank


def test_the_singular_values_are_those_of_the_product():
    draw = torch.Generator().manual_seed(0)
    q, k = (torch.randn(7, 3, dtype=torch.float64, generator=draw) for _ in range(2))
    expected = torch.linalg.svdvals(q @ k.T)[:3]
    # Numbers of order 10 by two decompositions.
    torch.testing.assert_close(rank.singular_values(q, k), expected, rtol=0, atol=1e-12)


def test_equal_values_count_fully_and_one_that_dominates_counts_alone():
    equal, one = torch.ones(5, dtype=torch.float64), torch.tensor([1.0, 0, 0, 0, 0]).double()
    assert abs(float(rank.effective_rank(equal)) - 5) < 1e-12
    assert float(rank.effective_rank(one)) == 1
    assert rank.kept_rank(torch.stack([equal, one])).tolist() == [5, 1]


def test_ranks_are_parts_of_the_length_and_at_most_the_heads_width():
    _, _, layers = at_work({})
    found = rank.ranks(layers[0], torch.Generator().manual_seed(0))
    assert found["rank_bound"].tolist() == [4 / 6, 4 / 6]
    assert (found["rank_effective"] <= found["rank_bound"] + 1e-12).all()
    assert (found["rank_kept"] <= found["rank_bound"] + 1e-12).all()
