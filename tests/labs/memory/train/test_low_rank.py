import math
from itertools import pairwise

import pytest
import torch

from pipeline.labs.memory.data import families
from pipeline.labs.memory.models.low_rank import LowRank
from pipeline.labs.memory.train.low_rank import FitConfig, fit

CONFIG = FitConfig(iterations=400, work=10**9, history=10, neglected=0.0, floor=1e-4)


def stream(seed):
    return torch.Generator().manual_seed(seed)


def test_a_distribution_of_that_rank_is_fitted_perfectly():
    distribution, _ = families.rank_d(6, 2, False, 0.5, stream(0))
    model, loss = fit(distribution, 2, CONFIG, stream(1))
    # L-BFGS stops at a relative change of 1e-12 of a loss that is the entropy, about 1.8.
    assert 0 <= loss < 1e-8
    predicted = model()[0].softmax(1).detach()
    torch.testing.assert_close(predicted, distribution.conditional, atol=1e-3, rtol=0)


def test_more_dimensions_never_cost_more():
    distribution = families.power_unif(
        (0.9, 0.9, 0.7), families.draw_supports(6, (6, 6, 6), stream(0)), 6
    )
    losses = [fit(distribution, d, CONFIG, stream(1))[1] for d in (1, 2, 3, 5)]
    assert all(a > b for a, b in pairwise(losses))
    # N - 1 dimensions can express any distribution: what is left is what 400 steps leave.
    assert losses[-1] < 1e-4


def test_its_loss_is_the_divergence_of_its_logits():
    distribution = families.power_unif(
        (0.9, 0.9, 0.7), families.draw_supports(5, (5, 4, 5), stream(0)), 5
    )
    model, loss = fit(distribution, 2, CONFIG, stream(1))
    assert float(distribution.divergence(model()[0].detach())) == loss
    assert 0 < loss < math.log(5) - float(distribution.entropy())


def test_neglected_contexts_cost_no_more_than_their_bound():
    distribution = families.power_unif(
        (0.3, 0.3, 0.7), families.draw_supports(8, (8, 8, 8), stream(0)), 8
    )
    whole = fit(distribution, 3, CONFIG, stream(1))[1]
    some = fit(
        distribution,
        3,
        FitConfig(iterations=400, work=10**9, history=10, neglected=1e-4, floor=1e-4),
        stream(1),
    )[1]
    # Two local searches end within a few per cent of one another; the bound itself is 2e-4.
    assert some <= whole * 1.05 + 1e-4 * math.log(8)


def test_the_gradient_vanishes_at_the_optimum():
    distribution = families.last_position(5, 0.0, 0.9, stream(0))
    model, _ = fit(distribution, 2, CONFIG, stream(1))
    logits = model()[0]
    p = distribution.conditional
    lost = (distribution.contexts * (torch.xlogy(p, p) - p * logits.log_softmax(1)).sum(1)).sum()
    (grad,) = torch.autograd.grad(lost, [model.U])
    # A start at random has a gradient of order 0.1.
    assert float(grad.abs().max()) < 1e-4


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_seed_gives_the_same_bits(seed):
    distribution = families.last_position(4, 0.0, 0.9, stream(seed))
    first, second = (fit(distribution, 2, CONFIG, stream(seed))[0] for _ in range(2))
    assert torch.equal(first.U, second.U)
    assert torch.equal(first.e, second.e)
    assert isinstance(first, LowRank)
