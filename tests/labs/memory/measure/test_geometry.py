import math

import pytest
import torch

from pipeline.labs.memory.data import families
from pipeline.labs.memory.measure import geometry
from pipeline.labs.memory.train import low_rank


def stream(seed):
    return torch.Generator().manual_seed(seed)


def nearly_uniform(seed=0):
    return families.almost_rank_d(6, 3, False, 0.3, 0.1, stream(seed))


def fitted(distribution, d):
    config = low_rank.FitConfig(iterations=500, work=10**9, history=10, neglected=0.0, floor=1e-4)
    model, _ = low_rank.fit(distribution, d, config, stream(1))
    return model.U[0].detach(), model.e[0].detach()


def test_the_second_order_vectors_explain_the_trained_ones_in_the_distributions_row_order():
    distribution = nearly_uniform()
    U, e = fitted(distribution, 2)
    w = geometry.second_order_vectors(distribution, U)
    assert float((w - e).norm() / e.norm()) < 0.1
    wrong = geometry.transposed(e)
    assert float((w - wrong).norm() / e.norm()) > 0.5


def test_the_second_order_vectors_minimise_the_variance():
    distribution = nearly_uniform()
    U = torch.randn(6, 2, generator=stream(2), dtype=torch.float64)
    w = geometry.second_order_vectors(distribution, U).requires_grad_()
    p, gap = distribution.conditional, w @ U.T - geometry.log_probabilities(distribution)
    variance = ((p * gap**2).sum(1) - (p * gap).sum(1) ** 2).sum()
    (grad,) = torch.autograd.grad(variance, [w])
    # The solution of well conditioned 2 x 2 systems of numbers of order 1.
    assert float(grad.abs().max()) < 1e-12


def test_reordering_rows_twice_changes_nothing():
    e = torch.randn(9, 2, generator=stream(0))
    assert torch.equal(geometry.transposed(geometry.transposed(e)), e)
    assert torch.equal(geometry.transposed(e)[1], e[3])


def test_a_projector_is_one_and_knows_no_basis_nor_a_common_logit():
    x = torch.randn(6, 3, generator=stream(0), dtype=torch.float64)
    P = geometry.column_projector(x, 3)
    torch.testing.assert_close(P @ P, P, atol=1e-13, rtol=0)
    mixed = x @ torch.randn(3, 3, generator=stream(1), dtype=torch.float64)
    # Condition numbers of random 3 x 3 matrices, times rounding.
    assert geometry.projector_distance(x, mixed + 7.0, 3) < 1e-10


def test_orthogonal_subspaces_are_farthest_apart():
    x, y = torch.zeros(6, 2, dtype=torch.float64), torch.zeros(6, 2, dtype=torch.float64)
    x[0, 0], x[1, 0], x[2, 1], x[3, 1] = 1, -1, 1, -1
    y[0, 0], y[1, 0], y[2, 0], y[3, 0] = 1, 1, -1, -1
    y[4, 1], y[5, 1] = 1, -1
    assert geometry.projector_distance(x, y, 2) == pytest.approx(math.sqrt(4), abs=1e-12)


def test_random_directions_are_far_from_any():
    x = torch.randn(8, 3, generator=stream(0), dtype=torch.float64)
    assert 1 < geometry.random_distance(x, 3, 20, stream(1)) < math.sqrt(6)


def test_the_truncation_is_exact_at_full_rank():
    distribution = nearly_uniform()
    found = distribution.divergence(geometry.truncated_logits(distribution, 6))
    assert abs(float(found)) < 1e-13
    assert float(distribution.divergence(geometry.truncated_logits(distribution, 2))) > 1e-6
