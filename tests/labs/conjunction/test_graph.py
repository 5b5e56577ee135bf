import pytest
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction import graph, graph_report
from pipeline.labs.conjunction.datasets import draw_data
from pipeline.labs.conjunction.models import AttentionConfig, BinaryAttention, encode
from pipeline.labs.conjunction.task import TaskConfig, label

TASK = TaskConfig(
    form="query", positions=7, targets=2, p=None, tolerance=None, identified=False, tries=1
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
        return made, data, graph.influences(made, data.valid)


def test_the_pattern_is_the_t_by_t_softmax_of_each_sequence(analysed):
    made, data, _ = analysed
    found = graph.pattern(made, data.valid)
    x = made.W_E[1][data.valid[1].long()] + made.W_pos[1]
    scores = ((x @ made.W_Q[1]) @ (x @ made.W_K[1]).transpose(1, 2)) / 2**0.5
    # Rounding of scores of order 10 in an exponent.
    assert torch.allclose(found[1], scores.softmax(-1), rtol=0, atol=1e-13)


@pytest.mark.parametrize("size", [0.1, 1.0, 3.0])
def test_attention_times_value_sums_to_the_logit(size):
    made, data = model([0, 1, 2], size), draw_data(TASK, 5, 60, [0, 1, 2])
    with torch.no_grad():
        shares = graph.influences(made, data.valid)["attention_value"].sum(-1)
        logits = made(encode(made, data.valid))
    # The bar of the lab; rounding leaves some 1e-14 relative to the largest logit.
    assert float((shares - logits).abs().max()) <= 1e-10 * max(1.0, float(logits.abs().max()))


def test_the_two_contractions_of_the_readout_are_by_query_and_by_key(analysed):
    made, data, found = analysed
    weights, readout = graph.pattern(made, data.valid), made.readout
    for m in range(2):
        by_key = torch.einsum("q,bqk->bk", readout[m], weights[m])
        by_query = torch.einsum("bqk,k->bq", weights[m], readout[m])
        # The order of a sum of seven.
        assert torch.allclose(found["attention_key"][m], by_key, rtol=0, atol=1e-14)
        assert torch.allclose(found["attention_query"][m], by_query, rtol=0, atol=1e-14)
    assert not torch.allclose(found["attention_key"], found["attention_query"])


def test_a_flip_is_the_change_of_the_logit(analysed):
    made, data, found = analysed
    flipped = data.valid.clone()
    flipped[:, :, 3] = 1 - flipped[:, :, 3]
    change = made(encode(made, data.valid)) - made(encode(made, flipped))
    assert torch.equal(found["bit_flip"][..., 3], change)


def test_means_are_over_the_chosen_samples_of_each_member():
    values = torch.arange(12.0).view(2, 3, 2).double()
    chosen = torch.tensor([[True, False, True], [False, False, True]])
    assert graph.mean_where(values, chosen).tolist() == [[2.0, 3.0], [10.0, 11.0]]
    statistics = graph.weight_statistics(values, chosen)
    assert statistics[1].tolist() == [[2.0, 2.0], [0.0, 0.0]]


def test_a_hit_needs_all_targets_on_top_and_overlooks_the_rule():
    targets = torch.tensor([[[0, 2], [1, 3]]])
    influence = torch.tensor([[[-5.0, 0.1, 4.0, 0.2, 0.0, 9.0]], [[0.5, 1.0, 0.0, 0.2, 0.0, 9.0]]])
    assert graph.hits(influence, targets).tolist() == [[True], [False]]


def test_flips_of_the_tasks_own_truth_always_hit():
    data = draw_data(TASK, 5, 200, [0, 1, 2])
    labels = label(data.valid, data.targets)
    changes = []
    for position in range(7):
        flipped = data.valid.clone()
        flipped[..., position] = 1 - flipped[..., position]
        changed = labels - label(flipped, data.targets)
        changes.append(changed)
    found = graph.graphs({"truth": torch.stack(changes, -1)}, data.valid, labels)["truth"]
    assert bool(graph.hits(found, data.targets).all())


def test_the_weights_of_the_rules_query_are_shared_out(analysed):
    made, data, _ = analysed
    report = graph_report.report(made, data, torch.tensor([False, True]))
    total = sum(report.focus.values())
    # Weights sum to one, up to their rounding.
    assert torch.allclose(total, torch.ones(2).double(), rtol=0, atol=1e-13)
    assert torch.equal(report.graph["targets"], data.targets[1])
    assert report.weights["weights"].shape == (40, 7)
    assert set(report.metrics) == {*graph.METHODS, "attention_value_sum"}
    assert report.metrics["bit_flip"]["n"] == 4
    assert report.metrics["bit_flip"]["n_solved"] == 2


def test_without_a_solved_seed_there_is_no_rate_among_them(analysed):
    made, data, _ = analysed
    report = graph_report.report(made, data, torch.tensor([False, False]))
    assert "hit_solved" not in report.metrics["bit_flip"]


def test_focus_tells_active_from_inactive_targets():
    targets = torch.tensor([[[0], [2]]])
    first, second = torch.zeros(2, 1, 4).double(), torch.zeros(2, 1, 4).double()
    first[0, 0] = torch.tensor([0.7, 0.1, 0.05, 0.15])  # rule 0: target 0 is active
    second[0, 0] = torch.tensor([0.1, 0.2, 0.6, 0.1])  # rule 1: target 2 is active
    found = graph_report.focus([first, second], targets)
    assert found["weight_active"].tolist() == pytest.approx([0.65])
    assert found["weight_inactive"].tolist() == pytest.approx([0.075])
    assert found["weight_rule"].tolist() == pytest.approx([0.125])
    assert found["weight_others"].tolist() == pytest.approx([0.15])
