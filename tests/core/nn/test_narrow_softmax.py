import math

import pytest
import torch
from torch.func import jacrev, vmap

from pipeline.core.nn.attention import attend, pattern
from pipeline.core.nn.narrow_softmax import NARROW, narrow_softmax_attention

MASKS = (False, True)


def heads(queries=7, keys=7, d_head=3, d_value=4, dtype=torch.float64):
    g = torch.Generator().manual_seed(0)
    shapes = ((queries, d_head), (keys, d_head), (keys, d_value))
    return [
        torch.randn(2, 3, 2, *shape, generator=g, dtype=dtype).requires_grad_() for shape in shapes
    ]


@pytest.mark.parametrize("causal", MASKS)
@pytest.mark.parametrize("queries", [1, 4, 7])
def test_output_and_gradients_are_those_of_the_pattern(causal, queries):
    q, k, v = heads(queries)
    expected = pattern(q, k, kind="softmax", causal=causal) @ v
    found = narrow_softmax_attention(q, k, v, causal=causal)
    # Sums of 7 products of numbers below 5, the score's error in the exponent: 1e-14 each.
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)
    factor = torch.linspace(-1, 1, found.numel(), dtype=torch.float64).view(found.shape)
    ours, theirs = (
        torch.autograd.grad((out * factor).sum(), (q, k, v)) for out in (found, expected)
    )
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("causal", MASKS)
def test_the_hand_written_gradient_is_the_numerical_one(causal):
    q, k, v = (x[:1, :1] for x in heads(2, 3, 2, 2))

    def attention(q, k, v):
        return narrow_softmax_attention(q, k, v, causal=causal)

    assert torch.autograd.gradcheck(attention, (q, k, v))


def test_hidden_keys_weigh_exactly_nothing_and_huge_scores_do_not_overflow():
    q, k, v = (1e4 * x.detach() for x in heads())
    changed = v.clone()
    changed[..., -1, :] = math.pi
    before, after = (narrow_softmax_attention(q, k, x, causal=True) for x in (v, changed))
    assert bool(torch.isfinite(before).all())
    assert torch.equal(before[..., :-1, :], after[..., :-1, :])


@pytest.mark.parametrize("d_head", [NARROW - 1, NARROW])
def test_attend_is_the_same_attention_on_both_sides_of_narrow(d_head):
    q, k, v = heads(d_head=d_head)
    expected = pattern(q, k, kind="softmax", causal=True) @ v
    found = attend(q, k, v, kind="softmax", causal=True)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


def test_torch_s_function_transforms_see_through_attend():
    q, k, v = (x.detach() for x in heads(d_head=2))

    def of_one(q, k, v):
        return attend(q[None], k[None], v[None], kind="softmax", causal=True)[0].sum((0, 1, 2))

    jacobians = vmap(jacrev(of_one))(q, k, v)
    for m in range(2):
        expected = torch.autograd.functional.jacobian(lambda x, m=m: of_one(x, k[m], v[m]), q[m])
        torch.testing.assert_close(jacobians[m], expected, rtol=0, atol=1e-12)
