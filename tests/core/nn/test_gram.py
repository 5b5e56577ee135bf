import pytest
import torch
from torch.func import jacrev, vmap

from pipeline.core.nn.attention import attend
from pipeline.core.nn.gram import gram_attention


def problem(queries=5, keys=5, d=6, members=2, seed=0):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(members, 3, keys, d, generator=g, dtype=torch.float64)
    weights = [torch.randn(members, d, d, generator=g, dtype=torch.float64) for _ in range(4)]
    return x, x[:, :, -queries:], weights


def by_heads(x, queries, weights, d_head):
    """Return the same from queries, keys and values."""

    def split(tokens, weight):
        return (tokens @ weight[:, None]).unflatten(-1, (-1, d_head)).transpose(2, 3)

    tokens = (queries, x, x)
    q, k, v = (split(t, w) for t, w in zip(tokens, weights[:3], strict=True))
    z = attend(q, k, v, kind="linear", causal=False)
    return z.transpose(2, 3).flatten(-2) @ weights[3][:, None]


# Numbers of size 6^(7/2) = 500 after three products and four weights, by some 50 roundings.
ROUNDING = 50 * 500 * 2.2e-16


@pytest.mark.parametrize("d_head", [1, 2, 3, 6])
@pytest.mark.parametrize("queries", [1, 5])
def test_it_is_linear_attention_between_its_projections(queries, d_head):
    x, last, weights = problem(queries)
    found = gram_attention(x, last, weights, d_head)
    torch.testing.assert_close(found, by_heads(x, last, weights, d_head), rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("d_head", [1, 3, 6])
@pytest.mark.parametrize("queries", [1, 5])
def test_its_gradients_are_those_of_autograd(queries, d_head):
    x, _, weights = problem()
    leaves = [x.requires_grad_(), *(w.requires_grad_() for w in weights)]
    outs = [f(x, x[:, :, -queries:], weights, d_head) for f in (gram_attention, by_heads)]
    factor = torch.randn(outs[0].shape, generator=torch.Generator().manual_seed(1)).double()
    ours, expected = (torch.autograd.grad((out * factor).sum(), leaves) for out in outs)
    for one, other in zip(ours, expected, strict=True):
        # A gradient sums over 15 rows more.
        torch.testing.assert_close(one, other, rtol=0, atol=15 * ROUNDING)


def test_the_hand_written_gradient_is_the_numerical_one():
    x, last, weights = problem(2, 3, 4, 1)
    inputs = [t.clone().requires_grad_() for t in (x, last, *weights)]
    assert torch.autograd.gradcheck(lambda x, q, *w: gram_attention(x, q, w, 2), inputs)


def test_a_second_derivative_is_refused():
    x, last, weights = problem()
    out = gram_attention(x.requires_grad_(), last, weights, 2)
    (first,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_torch_s_function_transforms_see_through_it():
    x, _, weights = problem(members=1)
    W_Q, *others = weights

    def of_one(w, one):
        return gram_attention(one[None, None], one[None, None], (w, *others), 2)[0, 0].sum(0)

    jacobians = vmap(jacrev(of_one), (None, 0))(W_Q, x[0])
    for k, one in enumerate(x[0]):
        expected = torch.autograd.functional.jacobian(lambda w, one=one: of_one(w, one), W_Q)
        torch.testing.assert_close(jacobians[k], expected, rtol=0, atol=15 * ROUNDING)
