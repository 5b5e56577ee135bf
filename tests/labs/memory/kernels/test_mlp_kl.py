from itertools import pairwise

import pytest
import torch
from torch.nn import functional

from labs.memory.kernels.test_unembed_kl import batch
from pipeline.labs.memory.kernels import mlp_kl as module
from pipeline.labs.memory.kernels.mlp_kl import mlp_kl
from pipeline.labs.memory.kernels.unembed_kl import unembed_kl

CASES = [((4,), True, True), ((2,), False, False), ((5, 4), True, False), ((3, 6, 5), False, True)]


def affine(widths, members=2, d=3, seed=1):
    g = torch.Generator().manual_seed(seed)
    sizes = [d, *widths, d]
    weights = [
        torch.randn(members, a, b, generator=g, dtype=torch.float64, requires_grad=True)
        for a, b in pairwise(sizes)
    ]
    biases = [
        torch.randn(members, b, generator=g, dtype=torch.float64, requires_grad=True)
        for b in sizes[1:]
    ]
    return weights, biases


def plain(stream, weights, biases, U, target, skip):
    hidden = stream.transpose(0, 1)
    for k, (W, b) in enumerate(zip(weights, biases, strict=True)):
        hidden = W.mT @ (functional.gelu(hidden) if k else hidden) + b[:, :, None]
    out = hidden.transpose(0, 1)
    return unembed_kl(stream + out if skip else out, U, target)


def problem(widths, certain, contexts):
    stream, U, target = batch(contexts=contexts, certain=certain)
    weights, biases = affine(widths)
    return stream.requires_grad_(), weights, biases, U.requires_grad_(), target


@pytest.mark.parametrize(("widths", "certain", "skip"), CASES)
@pytest.mark.parametrize("contexts", [64, 65, 150])
def test_blocks_give_the_loss_and_gradients_of_the_whole(
    widths, certain, skip, contexts, monkeypatch
):
    monkeypatch.setattr(module, "BLOCK_BYTES", 1)  # blocks of LEAST contexts, and a rest
    stream, weights, biases, U, target = problem(widths, certain, contexts)
    leaves = [stream, U, *weights, *biases]
    factor = torch.tensor([1.0, -2.0], dtype=torch.float64)  # each member's own gradient
    expected = plain(stream, weights, biases, U, target, skip)
    found = mlp_kl(stream, weights, biases, U, target, skip=skip)
    # Sums of some hundred products of order 1 in float64.
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12)
    wanted = torch.autograd.grad((expected * factor).sum(), leaves)
    gradients = torch.autograd.grad((found * factor).sum(), leaves)
    for one, other in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize(("widths", "certain", "skip"), CASES)
def test_the_hand_written_gradient_is_the_numerical_one(widths, certain, skip):
    stream, weights, biases, U, target = problem(widths, certain, 5)
    depth = len(weights)

    def loss(stream, U, *parameters):
        return mlp_kl(stream, parameters[:depth], parameters[depth:], U, target, skip=skip)

    assert torch.autograd.gradcheck(loss, (stream, U, *weights, *biases))


def test_a_member_has_the_bits_that_it_has_alone():
    stream, weights, biases, U, target = problem((7,), True, 100)
    both = mlp_kl(stream, weights, biases, U, target, skip=True)
    for k in range(2):
        one = slice(k, k + 1)
        alone = type(target)(target.weight[one], target.token[one], None, target.entropy[one])
        own = [[p[one] for p in parts] for parts in (weights, biases)]
        found = mlp_kl(stream[:, one], *own, U[one], alone, skip=True)
        assert torch.equal(found[0], both[k])
