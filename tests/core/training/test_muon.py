import pytest
import torch
from torch import nn

from pipeline.core.training.muon import (
    COEFFICIENTS,
    ITERATIONS,
    CombinedOptimizer,
    Muon,
    orthogonalise,
)

SHAPES = [(6, 6), (3, 7), (7, 3), (1, 4)]


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def iterated(values):
    """Apply the quintic to numbers, as often as the iteration does."""
    a, b, c = COEFFICIENTS
    for _ in range(ITERATIONS):
        values = a * values + b * values**3 + c * values**5
    return values


@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonalising_is_the_quintic_of_the_singular_values(shape):
    matrices = random(3, *shape)
    left, values, right = torch.linalg.svd(matrices, full_matrices=False)
    mapped = iterated(values / values.norm(dim=-1, keepdim=True))
    expected = left @ torch.diag_embed(mapped) @ right
    # The quintic's slope is at most 3.4445: five of them amplify rounding by 485, of 7 terms each.
    torch.testing.assert_close(
        orthogonalise(matrices), expected, rtol=0, atol=7 * 485 * 2.2e-16 * 10
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_each_member_is_orthogonalised_alone_and_whatever_its_scale(shape):
    matrices = random(3, *shape)
    together = orthogonalise(matrices * torch.tensor([1.0, 1e3, 1e-3]).double().view(3, 1, 1))
    for k in range(3):
        alone = orthogonalise(matrices[k : k + 1])[0]
        torch.testing.assert_close(together[k], alone, rtol=0, atol=1e-11)


def test_the_orthogonal_factor_of_zero_is_zero():
    assert bool((orthogonalise(torch.zeros(2, 3, 4, dtype=torch.float64)) == 0).all())


@pytest.mark.parametrize("shape", SHAPES)
def test_a_member_s_steps_are_those_of_torch_s_muon(shape):
    start, rate = random(2, *shape), 0.02
    ours = nn.Parameter(start.clone())
    theirs = [nn.Parameter(one.clone()) for one in start]
    stepped = Muon([ours], lr=rate, momentum=0.9)
    references = [
        torch.optim.Muon([one], lr=rate, momentum=0.9, nesterov=True, weight_decay=0.0)
        for one in theirs
    ]
    for step in range(3):
        gradient = random(2, *shape, seed=step + 1)
        ours.grad = gradient.clone()
        stepped.step()
        for k, (one, reference) in enumerate(zip(theirs, references, strict=True)):
            one.grad = gradient[k].clone()
            reference.step()
    # torch iterates in bfloat16, of 8 bits: entries below one, 2^-8 each of five iterations whose
    # slope may add as much again; three steps of this rate and of a scale up to 7^(1/2).
    tolerance = 3 * rate * 7**0.5 * 2 * 5 * 2**-8
    moved = float((ours - start).detach().abs().max())
    for k, one in enumerate(theirs):
        torch.testing.assert_close(ours[k], one, rtol=0, atol=tolerance)
    assert moved > 2 * tolerance, "a step left out would show"


def test_optimisers_together_clear_and_step_all_their_parameters():
    first, second = (nn.Parameter(random(1, 2, 2)) for _ in range(2))
    start = first.detach().clone()
    both = CombinedOptimizer(
        [Muon([first], lr=0.1, momentum=0.0), torch.optim.SGD([second], lr=0.5)]
    )
    assert [group["lr"] for group in both.param_groups] == [0.1, 0.5]
    both.param_groups[1]["lr"] = 0.25
    (first.square().sum() + second.sum()).backward()
    both.step()
    torch.testing.assert_close(second.detach(), start - 0.25)
    torch.testing.assert_close(first.detach(), start - 0.1 * orthogonalise(2 * start))
    both.zero_grad()
    assert first.grad is None
    assert second.grad is None


def test_matrices_of_one_shape_step_as_each_would_alone():
    shapes = [(2, 3, 7), (2, 7, 3), (2, 3, 7), (1, 3, 7), (2, 3, 7)]
    starts = [random(*shape, seed=k) for k, shape in enumerate(shapes)]
    together = [nn.Parameter(start.clone()) for start in starts]
    alone = [nn.Parameter(start.clone()) for start in starts]
    stepped = [Muon(together, lr=0.02, momentum=0.9)] + [
        Muon([one], lr=0.02, momentum=0.9) for one in alone
    ]
    for step in range(3):
        for k, shape in enumerate(shapes):
            # The last one has no gradient at the second step: it and its momentum stay.
            gradient = None if (k, step) == (4, 1) else random(*shape, seed=10 * step + k)
            together[k].grad = gradient
            alone[k].grad = None if gradient is None else gradient.clone()
        for each in stepped:
            each.step()
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)  # products of other batch sizes
