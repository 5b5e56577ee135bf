import pytest
import torch

from labs.memory.small_models import config
from pipeline.core.training.sampling import generators
from pipeline.labs.memory import inside, distributions, looking
from pipeline.labs.memory.models.attention import AttentionMemory

N = 6


def distribution(seed, first, second):
    supports = families.draw_supports(N, (first, second, 1), torch.Generator().manual_seed(seed))
    return families.power_unif((1.0, 1.0, 1.0), supports, N)


def test_where_every_context_occurs_what_is_seen_is_the_whole_map():
    model = AttentionMemory(config(), generators([0, 1]))
    metrics, arrays = looking.attention(model, [distribution(0, N, N), distribution(1, N, N)])
    assert metrics["heads_seen"] == pytest.approx(metrics["heads"], abs=1e-12)
    assert bool(arrays["possible"].all())
    torch.testing.assert_close(arrays["singular"], arrays["singular_seen"])


def test_where_few_contexts_occur_only_they_are_seen():
    model = AttentionMemory(config(n_heads=1), generators([0, 1]))
    own = [distribution(0, 3, 2), distribution(1, 3, 2)]
    metrics, arrays = looking.attention(model, own)
    maps = heads.maps(model).double()[:, 0]
    spreads, ranks = [], []
    for member, one in enumerate(own):
        possible = one.contexts.view(N, N) > 0
        assert int(possible.sum()) == 6
        spreads.append(maps[member][possible].std())
        rows = torch.linalg.svdvals(maps[member][possible.any(1)])
        assert len(rows) == 3
        ranks.append(heads.effective_rank(rows))
    found = metrics["heads_seen"]
    assert found["spread"] == pytest.approx(float(torch.stack(spreads).mean()), abs=1e-12)
    assert found["effective_rank"] == pytest.approx(float(torch.stack(ranks).mean()), abs=1e-12)
    assert found["effective_rank"] != pytest.approx(metrics["heads"]["effective_rank"], abs=1e-3)
    assert arrays["singular_seen"].shape == (3, 3)
    assert torch.equal(arrays["possible"], own[0].contexts.view(N, N) > 0)
