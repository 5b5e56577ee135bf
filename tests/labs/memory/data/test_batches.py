import math
from itertools import islice

import pytest
import torch

from labs.memory.small_models import config
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import batches, families
from pipeline.labs.memory.data.distribution import Distribution
from pipeline.labs.memory.kernels import full_batch
from pipeline.labs.memory.models.attention import AttentionMemory

DOUBLE = torch.float64


def tensor(values):
    return torch.tensor(values, dtype=DOUBLE)


def small(third):
    """Two tokens, p(a) = (3/4, 1/4); after 0 both follow evenly, after 1 only 0."""
    return Distribution(tensor([0.75, 0.25]), tensor([[0.5, 0.5], [1.0, 0.0]]), tensor(third))


CERTAIN = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]
UNCERTAIN = [[[0.5, 0.5], [0.0, 1.0]], [[0.25, 0.75], [0.5, 0.5]]]


def drawn(kept, alphas=(1.0, 1.0, 1.0), N=6, seeds=(0, 1)):
    return [
        families.power_unif(
            alphas, families.draw_supports(N, kept, torch.Generator().manual_seed(s)), N
        )
        for s in seeds
    ]


LAWS = {
    "certain": lambda: drawn((6, 6, 1)),
    "uncertain": lambda: drawn((6, 6, 6), (0.9, 0.9, 0.5)),
    "few contexts": lambda: drawn((3, 2, 4), (0.8, 0.8, 0.5)),
    "few certain": lambda: drawn((3, 2, 1), (0.8, 0.8, 1.0)),
}
EACH = pytest.mark.parametrize("name", LAWS)


def test_the_whole_distribution_has_the_contexts_that_can_occur_with_their_weights_and_entropy():
    whole = batches.full_batch([small(UNCERTAIN)], DOUBLE)
    assert whole.pair.tolist() == [[0, 1, 2]]  # (1, 1) cannot occur
    assert whole.target.weight.tolist() == [[0.375, 0.375, 0.25]]
    assert whole.target.token is None
    assert whole.target.distribution[0].T.tolist() == [[0.5, 0.5], [0.0, 1.0], [0.25, 0.75]]
    quarter = -(0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    expected = 0.375 * math.log(2) + 0.25 * quarter
    assert whole.target.entropy.item() == pytest.approx(expected, abs=1e-15)


def test_certain_distributions_are_tokens_without_entropy():
    whole = batches.full_batch([small(CERTAIN)], DOUBLE)
    assert whole.target.distribution is None
    assert whole.target.token.tolist() == [[0, 1, 1]]
    assert whole.target.entropy.tolist() == [0]


def test_members_that_can_be_in_other_numbers_of_contexts_share_all_of_them():
    everywhere = Distribution(tensor([0.5, 0.5]), tensor([[0.5, 0.5]] * 2), tensor(CERTAIN))
    whole = batches.full_batch([small(CERTAIN), everywhere], DOUBLE)
    assert whole.pair is None
    assert whole.target.weight.tolist() == [[0.375, 0.375, 0.25, 0], [0.25] * 4]
    assert whole.target.token.tolist() == [[0, 1, 1, 0]] * 2


def test_first_tokens_are_named_where_they_are_few_and_as_many_for_all():
    whole = batches.full_batch(LAWS["few contexts"](), DOUBLE)
    assert whole.first.shape == (2, 3)
    for distribution, row in zip(LAWS["few contexts"](), whole.first, strict=True):
        assert row.tolist() == (distribution.first > 0).nonzero()[:, 0].tolist()
    assert batches.full_batch(LAWS["certain"](), DOUBLE).first is None
    mixed = [*drawn((3, 6, 1), seeds=(0,)), *drawn((2, 6, 1), seeds=(1,))]
    assert batches.full_batch(mixed, DOUBLE).first is None


def test_other_weights_are_normalised_and_weigh_the_entropy():
    whole = batches.full_batch([small(UNCERTAIN)], DOUBLE)
    other = batches.reweighted(whole, tensor([[2.0, 6.0, 0.0]]))
    assert other.target.weight.tolist() == [[0.25, 0.75, 0.0]]
    assert other.target.entropy.item() == pytest.approx(0.25 * math.log(2), abs=1e-15)
    assert torch.equal(other.target.distribution, whole.target.distribution)
    assert torch.equal(other.pair, whole.pair)
    certain = batches.reweighted(
        batches.full_batch([small(CERTAIN)], DOUBLE), tensor([[1.0, 1, 2]])
    )
    assert certain.target.entropy.tolist() == [0]
    assert certain.target.weight.tolist() == [[0.25, 0.25, 0.5]]


def test_an_entropy_is_the_distributions_own_under_its_own_weights():
    own = LAWS["uncertain"]()
    whole = batches.full_batch(own, DOUBLE)
    again = batches.reweighted(whole, 7 * whole.target.weight)
    expected = torch.stack([distribution.entropy() for distribution in own])
    # Sums of 216 terms of order 0.01 in another order.
    torch.testing.assert_close(again.target.entropy, expected, atol=1e-14, rtol=0)
    torch.testing.assert_close(whole.target.entropy, expected, atol=1e-14, rtol=0)


def sampled(own, count):
    return batches.sampled_contexts(own, count, generators([5, 6], 2))


@EACH
def test_batches_go_round_the_samples_in_their_order(name):
    own = LAWS[name]()
    triples = sampled(own, 12)
    stream = batches.minibatches(own, triples, 4, "divergence", DOUBLE)
    seen = list(islice(stream, 7))
    for k, batch in enumerate(seen):
        start = 4 * (k % 3)
        assert torch.equal(batch.pair, triples[:, start : start + 4, 0])
        assert batch.target.weight.tolist() == [[0.25] * 4] * 2


def test_next_tokens_are_those_sampled():
    own = LAWS["uncertain"]()
    triples = sampled(own, 8)
    batch = list(islice(batches.minibatches(own, triples, 4, "next_token", DOUBLE), 2))[1]
    assert torch.equal(batch.target.token, triples[:, 4:, 1])
    assert batch.target.distribution is None
    assert batch.target.entropy.tolist() == [0, 0]


@EACH
def test_a_batch_is_the_whole_distribution_weighted_by_what_was_sampled(name):
    own = LAWS[name]()
    triples = sampled(own, 64)
    whole = batches.full_batch(own, DOUBLE)
    batch = next(batches.minibatches(own, triples, 64, "divergence", DOUBLE))
    counts = torch.zeros(2, 36, dtype=DOUBLE).scatter_add_(
        1, triples[:, :, 0], torch.ones(2, 64, dtype=DOUBLE)
    )
    drawn_whole = counts if whole.pair is None else counts.gather(1, whole.pair)
    same = batches.reweighted(whole, drawn_whole)
    # Sums of 64 terms of order 0.1 in another order.
    torch.testing.assert_close(batch.target.entropy, same.target.entropy, atol=1e-14, rtol=0)
    model = AttentionMemory(config(), generators([3, 4])).double()
    torch.testing.assert_close(
        full_batch.divergence(model, batch), full_batch.divergence(model, same), atol=1e-12, rtol=0
    )
    torch.testing.assert_close(
        full_batch.accuracy(model, batch), full_batch.accuracy(model, same), atol=1e-12, rtol=0
    )


@EACH
def test_each_member_samples_its_own_distribution_by_its_own_generator(name):
    own = LAWS[name]()
    both = sampled(own, 20)
    alone = batches.sampled_contexts(own[1:], 20, generators([6], 2))
    assert torch.equal(both[1:], alone)
    for distribution, rows in zip(own, both, strict=True):
        assert bool((distribution.contexts[rows[:, 0]] > 0).all())
        assert bool((distribution.conditional[rows[:, 0], rows[:, 1]] > 0).all())
