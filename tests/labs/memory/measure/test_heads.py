import math

import pytest
import torch

from labs.memory.small_models import config, skips
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.measure import heads
from pipeline.labs.memory.models.attention import AttentionMemory


def memory(**changes):
    return AttentionMemory(config(skips=skips("residual"), **changes), generators([1, 2])).double()


def test_the_heads_logits_add_up_to_the_models():
    model = memory(d_head=6, patterns_per_head=2)
    parts = heads.to_logits(heads.head_outputs(model), model.U).sum(2)
    whole = model(heads.all_contexts(6, 2))
    expected = whole - whole.mean(-1, keepdim=True)
    torch.testing.assert_close(parts, expected, atol=1e-12, rtol=0)


def test_coordinates_rebuild_the_output_from_the_rows_of_u():
    model = memory()
    outputs = heads.head_outputs(model)
    x = heads.to_coordinates(outputs, model.U)
    rebuilt = torch.einsum("mchn,mnd->mchd", x, model.U)
    torch.testing.assert_close(rebuilt, outputs, atol=1e-12, rtol=0)


def test_the_logit_difference_is_the_right_logit_above_the_mean_of_the_wrong():
    logits = torch.tensor([3.0, 1.0, 2.0]).view(1, 1, 1, 3)
    difference = heads.logit_difference(logits, torch.tensor([[0]]))
    assert difference.item() == 1.5


def test_attributions_average_over_the_contexts_of_an_answer():
    logits = torch.tensor([[1.0, -1.0], [3.0, -3.0], [-5.0, 5.0]])[None, :, None].double()
    answer, weight = torch.tensor([[0, 0, 1]]), torch.tensor([[0.25, 0.25, 0.5]]).double()
    attribution = heads.by_answer(logits, answer, weight)
    assert attribution[0, 0].tolist() == [[2, -2], [-5, 5]]
    assert heads.answers_raised_by_all(attribution).tolist() == [1.0]


def test_an_answer_that_one_head_lowers_is_not_shared():
    attribution = torch.zeros(1, 2, 2, 2)
    attribution[0, :, 0, 0] = torch.tensor([1.0, 2.0])
    attribution[0, :, 1, 1] = torch.tensor([1.0, -2.0])
    assert heads.answers_raised_by_all(attribution).tolist() == [0.5]


def test_the_effective_rank_counts_equal_values():
    assert float(heads.effective_rank(torch.tensor([2.0, 2.0, 2.0, 0.0]))) == pytest.approx(3)
    assert float(heads.effective_rank(torch.tensor([5.0, 0.0]))) == pytest.approx(1)


def test_maps_are_probabilities_of_every_head():
    maps = heads.maps(memory(n_heads=2, patterns_per_head=2))
    assert maps.shape == (2, 4, 6, 6)
    assert bool(((maps > 0) & (maps < 1)).all())


def test_contexts_stand_at_a_times_n_plus_b():
    tokens = heads.all_contexts(4, 1)[0]
    assert (tokens[:, 0] * 4 + tokens[:, 1]).tolist() == list(range(16))
    assert math.prod(tokens.shape) == 32
