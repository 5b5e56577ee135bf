import pytest
import torch

from labs.memory.small_models import config
from labs.memory.train.engines import ADAM
from labs.memory.train.test_cells import table, uncertain
from pipeline.core.training.muon import CombinedOptimizer, MuonConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import batches
from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.labs.memory.train import parts

N = 6


def whole(draw=table):
    return batches.full_batch([draw(0), draw(1)], torch.float64)


def taken(count, size=2):
    data = parts.parts(whole(), size, generators([0, 1]))
    return [next(data) for _ in range(count)]


def test_a_pass_sees_every_first_token_once_in_each_members_own_order():
    passes = taken(6)
    for member in range(2):
        for begin in (0, 3):
            seen = torch.cat([batch.first[member] for batch in passes[begin : begin + 3]])
            assert sorted(seen.tolist()) == list(range(N))
    orders = [[batch.first[member].tolist() for batch in passes] for member in range(2)]
    assert orders[0] != orders[1]
    assert orders[0][:3] != orders[0][3:]


def test_a_part_has_the_next_tokens_of_its_contexts_and_weights_that_sum_to_one():
    token = whole().target.token
    for batch in taken(3):
        pair = (batch.first[:, :, None] * N + torch.arange(N)).flatten(1)
        assert batch.target.token.tolist() == token.gather(1, pair).tolist()
        # Six contexts of a first token: sums of twelve float64 weights.
        assert batch.target.weight.sum(1).tolist() == pytest.approx([1, 1], abs=1e-12)


def test_what_does_not_fill_a_part_is_left_out_of_the_pass():
    assert [batch.first.shape[1] for batch in taken(3, size=4)] == [4, 4, 4]


def test_what_has_no_parts_is_refused():
    with pytest.raises(ValueError, match="first_tokens must be <= N = 6, got 7"):
        next(parts.parts(whole(), 7, generators([0, 1])))
    with pytest.raises(ValueError, match="parts need all contexts"):
        next(parts.parts(whole(uncertain), 2, generators([0, 1])))


def test_muon_steps_the_mlps_matrices_and_nothing_else():
    muon = MuonConfig(learning_rate=0.1, momentum=0.9)
    model = AttentionMemory(config(mlp_width=5), generators([0, 1]))
    chosen = parts.optimizer(model, ADAM, muon)
    assert isinstance(chosen, CombinedOptimizer)
    element_wise, matrices = (group["params"] for group in chosen.param_groups)
    assert {tuple(p.shape) for p in matrices} == {(2, 4, 5), (2, 5, 4)}
    assert len(element_wise) + len(matrices) == len(list(model.parameters()))
    assert parts.optimizer(model, ADAM, None) is None
    heads = AttentionMemory(config(), generators([0, 1]))
    assert parts.optimizer(heads, ADAM, muon) is None
