import pytest
import torch

from labs.memory.small_models import config, freeze, skips
from labs.memory.train.test_cells import table, uncertain
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import batches
from pipeline.labs.memory.kernels import context_kl, full_batch
from pipeline.labs.memory.models.attention import AttentionMemory

FACTOR = torch.tensor([1.0, -2.0], dtype=torch.float64)  # each member's own gradient


def gradients(divergence, model, batch):
    model.zero_grad()
    loss = divergence(model, batch)
    (loss * FACTOR).sum().backward()
    return loss.detach(), {name: p.grad for name, p in model.named_parameters()}


def sampled(distributions, count=16):
    triples = batches.sampled_contexts(distributions, count, generators([0, 1], 2))
    return next(batches.minibatches(distributions, triples, count, "divergence", torch.float64))


@pytest.mark.parametrize("draw", [table, uncertain])
@pytest.mark.parametrize("whole", [True, False])
def test_loss_and_gradients_are_those_of_the_tables_of_pairs(draw, whole):
    distributions = [draw(0), draw(1)]
    batch = batches.full_batch(distributions, torch.float64) if whole else sampled(distributions)
    model = AttentionMemory(config(), generators([0, 1])).double()
    expected, wanted = gradients(full_batch.divergence, model, batch)
    found, own = gradients(context_kl.divergence, model, batch)
    # Sums of some hundred products of order 1 in float64.
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    assert own.keys() == wanted.keys()
    for name, gradient in own.items():
        torch.testing.assert_close(gradient, wanted[name], atol=1e-12, rtol=0, msg=name)


@pytest.mark.parametrize(
    "other",
    [
        {"n_layers": 2}, {"patterns_per_head": 2}, {"d_head": 2}, {"mlp_width": 3}, {"norm": True},
        {"skips": skips("residual")}, {"freeze": freeze("U")},
    ],
)  # fmt: skip
def test_a_model_that_is_not_plain_is_refused(other):
    model = AttentionMemory(config(**other), generators([0, 1])).double()
    assert not context_kl.is_plain(model.config)
    with pytest.raises(ValueError, match="one plain layer of heads"):
        context_kl.divergence(model, sampled([table(0), table(1)]))
