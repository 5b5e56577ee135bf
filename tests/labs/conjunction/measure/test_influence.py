import pytest
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import TaskConfig, label
from pipeline.labs.conjunction.measure import influence
from pipeline.labs.conjunction.models.attention import AttentionConfig, BinaryAttention
from pipeline.labs.conjunction.models.encoding import encode

TASK = TaskConfig(
    function="sparse_and_query",
    positions=7,
    targets=2,
    p=None,
    tolerance=None,
    identifiable=False,
    max_draws=1,
)


def model(seeds, size=1.0):
    config = AttentionConfig(
        positions=7, d_head=2, queries="tokens", readout="each", bias=False, init_std=size
    )
    return BinaryAttention(config, generators(seeds)).double()


@pytest.fixture
def analysed():
    made, data = model([0, 1]), draw_data(TASK, 5, 40, [0, 1])
    with torch.no_grad():
        return made, data, influence.influences(made, data.valid)


def test_the_pattern_is_the_t_by_t_softmax_of_each_sequence(analysed):
    made, data, _ = analysed
    pattern = influence.pattern(made, data.valid)
    x = made.W_E[1][data.valid[1].long()] + made.W_pos[1]
    scores = ((x @ made.W_Q[1]) @ (x @ made.W_K[1]).transpose(1, 2)) / 2**0.5
    # Rounding of scores of order 10 in an exponent.
    assert torch.allclose(pattern[1], scores.softmax(-1), rtol=0, atol=1e-13)


@pytest.mark.parametrize("size", [0.1, 1.0, 3.0])
def test_attention_times_value_sums_to_the_logit(size):
    made, data = model([0, 1, 2], size), draw_data(TASK, 5, 60, [0, 1, 2])
    with torch.no_grad():
        shares = influence.influences(made, data.valid)["attention_value"].sum(-1)
        logits = made(encode(made, data.valid))
    # The bar of the lab; rounding leaves some 1e-14 relative to the largest logit.
    assert float((shares - logits).abs().max()) <= 1e-10 * max(1.0, float(logits.abs().max()))


def test_the_two_contractions_of_the_readout_are_by_query_and_by_key(analysed):
    made, data, by_method = analysed
    weights, readout = influence.pattern(made, data.valid), made.readout
    for m in range(2):
        by_key = torch.einsum("q,bqk->bk", readout[m], weights[m])
        by_query = torch.einsum("bqk,k->bq", weights[m], readout[m])
        # The order of a sum of seven.
        assert torch.allclose(by_method["attention_key"][m], by_key, rtol=0, atol=1e-14)
        assert torch.allclose(by_method["attention_query"][m], by_query, rtol=0, atol=1e-14)
    assert not torch.allclose(by_method["attention_key"], by_method["attention_query"])


def test_a_flip_is_the_change_of_the_logit(analysed):
    made, data, by_method = analysed
    flipped = data.valid.clone()
    flipped[:, :, 3] = 1 - flipped[:, :, 3]
    change = made(encode(made, data.valid)) - made(encode(made, flipped))
    assert torch.equal(by_method["bit_flip"][..., 3], change)


def test_means_are_over_the_chosen_samples_of_each_member():
    values = torch.arange(12.0).view(2, 3, 2).double()
    chosen = torch.tensor([[True, False, True], [False, False, True]])
    assert influence.mean_where(values, chosen).tolist() == [[2.0, 3.0], [10.0, 11.0]]
    statistics = influence.weight_statistics(values, chosen)
    assert statistics[1].tolist() == [[2.0, 2.0], [0.0, 0.0]]


def test_a_hit_needs_all_targets_on_top_and_overlooks_the_rule():
    targets = torch.tensor([[[0, 2], [1, 3]]])
    strength = torch.tensor([[[-5.0, 0.1, 4.0, 0.2, 0.0, 9.0]], [[0.5, 1.0, 0.0, 0.2, 0.0, 9.0]]])
    assert influence.hits(strength, targets).tolist() == [[True], [False]]


def test_flips_of_the_tasks_own_truth_always_hit():
    data = draw_data(TASK, 5, 200, [0, 1, 2])
    labels = label(data.valid, data.targets)
    changes = []
    for position in range(7):
        flipped = data.valid.clone()
        flipped[..., position] = 1 - flipped[..., position]
        changed = labels - label(flipped, data.targets)
        changes.append(changed)
    graph = influence.graphs({"truth": torch.stack(changes, -1)}, data.valid, labels)["truth"]
    assert bool(influence.hits(graph, data.targets).all())
