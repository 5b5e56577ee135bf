import numpy as np
import pytest
import torch

from labs.memory.small_models import config, skips
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import families
from pipeline.labs.memory.measure import heads, mechanism
from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.labs.memory.models.low_rank import LowRank, LowRankConfig

N = 6


def distribution(seed, first, second):
    supports = families.draw_supports(N, (first, second, 1), torch.Generator().manual_seed(seed))
    return families.power_unif((1.0, 1.0, 1.0), supports, N)


def test_where_every_context_occurs_what_is_seen_is_the_whole_map():
    model = AttentionMemory(config(), generators([0, 1]))
    metrics, arrays = mechanism.attention(
        model, [distribution(0, N, N), distribution(1, N, N)], [0, 1]
    )
    assert metrics["heads_seen"] == pytest.approx(metrics["heads"], abs=1e-12)
    assert bool(arrays.possible.all())
    np.testing.assert_allclose(arrays.singular, arrays.singular_seen, atol=1e-12)


def test_where_few_contexts_occur_only_they_are_seen():
    model = AttentionMemory(config(n_heads=1), generators([0, 1]))
    both = [distribution(0, 3, 2), distribution(1, 3, 2)]
    metrics, arrays = mechanism.attention(model, both, [5, 8])
    maps = heads.maps(model).double()[:, 0]
    spreads, ranks = [], []
    for member, one in enumerate(both):
        possible = one.contexts.view(N, N) > 0
        assert int(possible.sum()) == 6
        spreads.append(maps[member][possible].std())
        rows = torch.linalg.svdvals(maps[member][possible.any(1)])
        assert len(rows) == 3
        ranks.append(heads.effective_rank(rows))
    seen = metrics["heads_seen"]
    assert seen["spread"] == pytest.approx(float(torch.stack(spreads).mean()), abs=1e-12)
    assert seen["effective_rank"] == pytest.approx(float(torch.stack(ranks).mean()), abs=1e-12)
    assert seen["effective_rank"] != pytest.approx(metrics["heads"]["effective_rank"], abs=1e-3)
    assert arrays.singular_seen.shape == (3, 3)
    # Of two members the lower one is drawn.
    shown = ranks.index(min(ranks))
    assert int(arrays.seed) == [5, 8][shown]
    assert (arrays.possible == (both[shown].contexts.view(N, N) > 0).numpy()).all()
    assert (arrays.maps[0] == maps[shown].numpy()).all()


@pytest.mark.parametrize(
    ("values", "member"), [([3.0, 1.0, 2.0], 2), ([5.0], 0), ([4.0, 1.0, 3.0, 2.0], 3)]
)
def test_the_median_member_is_the_middle_one(values, member):
    assert mechanism.median_member(torch.tensor(values)) == member


def test_the_heads_parts_add_up_and_the_median_seed_is_drawn():
    model = AttentionMemory(config(skips=skips("residual")), generators([0, 1, 2]))
    three = [distribution(seed, N, N) for seed in (0, 1, 2)]
    metrics, arrays = mechanism.contributions(model, three, [10, 11, 12])
    np.testing.assert_allclose(
        arrays.logit_difference.sum(0), arrays.total_logit_difference, atol=1e-12
    )
    # All contexts are alike, so the median over seeds is the drawn seed's plain mean.
    middle = metrics["heads"]["logit_difference"]
    assert arrays.total_logit_difference.mean() == pytest.approx(middle, abs=1e-12)
    assert int(arrays.seed) in (10, 11, 12)
    told = metrics["heads"]
    assert told["worst_head_positive"] <= told["best_head_positive"] <= 1


def test_vectors_of_both_models_are_measured_and_the_median_seed_is_drawn():
    streams = generators([0, 1, 2])
    likely = [families.last_position(4, 0.0, 0.9, stream) for stream in streams]
    model = AttentionMemory(config(N=4, d=3, d_head=3), generators([0, 1, 2]))
    low_rank = LowRank(LowRankConfig(N=4, d=2), generators([0, 1, 2]))
    metrics, arrays = mechanism.superposition(model, low_rank, likely, [10, 11, 12])
    shown = int(arrays.seed) - 10
    U = low_rank.U[shown].detach().numpy()
    np.testing.assert_allclose(arrays.low_rank_U, U @ U.T, atol=1e-12)
    assert torch.tensor(arrays.cosines[1]).median() == metrics["attention"]["cosine"]
    assert metrics["low_rank"]["divergence"] > 0
