"""Softmax attention of one query over two keys, for every pair of a table of tokens.

With a context of two tokens (a, b), the query and the second key are functions of b alone and the
first key of a alone. A softmax over two keys is a sigmoid of a difference of scores, so the outputs
of all pairs follow from tables of the tokens by a few matrix products. The backward pass is written
by hand: it needs the attention weights alone, and the same kinds of products.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

Queries = Float[Tensor, "head member second channel"]
FirstKeys = Float[Tensor, "head member first channel"]
FirstValues = Float[Tensor, "member first head d"]
SecondValues = Float[Tensor, "member second head d"]
PerPair = Float[Tensor, "d member first second"]


def first_key_weight(
    first_key: FirstKeys, query: Queries, second_key: Queries
) -> Float[Tensor, "head member first second"]:
    """Return the attention that (a, b)'s query gives to a: sigmoid(q_b.k_a - q_b.k_b).

    The score's scale is the caller's, in the queries.
    """
    second_score = (query * second_key).sum(-1)
    scores = first_key @ query.transpose(-1, -2) - second_score[:, :, None]
    return scores.sigmoid()


def pair_attention(
    first_key: FirstKeys,
    query: Queries,
    second_key: Queries,
    first_value: FirstValues,
    second_value: SecondValues,
) -> PerPair:
    """Return sum over heads of w v_a + (1 - w) v_b for all pairs, channels first.

    ``w`` is :func:`first_key_weight`. Channels stand first because products with few channels run
    several times faster when the long axis of the pairs is the contiguous one.
    """
    # The second key's own score rides along as one more channel of the same product.
    second_score = -(query * second_key).sum(-1, keepdim=True)
    ones = torch.ones_like(first_key[..., :1])
    keys, queries = torch.cat([first_key, ones], -1), torch.cat([query, second_score], -1)
    out: Tensor = _PairMixture.apply(keys, queries, first_value, second_value)
    return out


class _PairMixture(torch.autograd.Function):
    """The bilinear, sigmoid, mixing core; in ``forward`` and ``backward`` heads stand first."""

    @staticmethod
    def forward(
        ctx: Any, keys: Tensor, queries: Tensor, first_value: Tensor, second_value: Tensor
    ) -> Tensor:
        heads, members, n_first, _ = keys.shape
        n_second, d = queries.shape[2], first_value.shape[3]
        scores = torch.bmm(keys.flatten(0, 1), queries.flatten(0, 1).transpose(1, 2))
        weight = scores.sigmoid_().view(heads, members, n_first, n_second)
        turned = weight.transpose(2, 3).contiguous()
        out = keys.new_empty(d, members, n_first, n_second)
        _mix(first_value, weight, out)
        # What a takes, b loses; b's whole value is what is there to lose.
        total = second_value.sum(2).permute(2, 0, 1)[:, :, None]
        lost = keys.new_empty(d, members, n_second, n_first)
        _mix(second_value, turned, lost)
        out += total
        out -= lost.transpose(2, 3)
        ctx.save_for_backward(keys, queries, first_value, second_value, weight, turned)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        keys, queries, first_value, second_value, weight, turned = ctx.saved_tensors
        grad = grad.contiguous()
        across = grad.transpose(2, 3).contiguous()
        d_first = _values_grad(weight, grad)
        d_second = across.sum(3).permute(1, 2, 0)[:, :, None] - _values_grad(turned, across)
        d_scores = torch.empty_like(weight)
        torch.sub(
            _weights_grad(first_value, grad),
            _weights_grad(second_value, across).transpose(2, 3),
            out=d_scores,
        )
        # The derivative of the sigmoid, w (1 - w).
        d_scores.mul_(weight).addcmul_(d_scores, weight, value=-1)
        flat = d_scores.flatten(0, 1)
        d_keys = torch.bmm(queries.flatten(0, 1).transpose(1, 2), flat.transpose(1, 2))
        d_queries = torch.bmm(keys.flatten(0, 1).transpose(1, 2), flat)
        return (
            d_keys.transpose(1, 2).unflatten(0, keys.shape[:2]),
            d_queries.transpose(1, 2).unflatten(0, keys.shape[:2]),
            d_first,
            d_second,
        )


def _by_row(per_pair: Tensor) -> Tensor:
    """View [x, member, row, column] as one matrix [x, column] for each member and row."""
    return per_pair.flatten(1, 2).transpose(0, 1)


def _mix(values: Tensor, weight: Tensor, out: Tensor) -> None:
    mixed = torch.bmm(values.flatten(0, 1).transpose(1, 2), _by_row(weight))
    _by_row(out).copy_(mixed)


def _values_grad(weight: Tensor, grad: Tensor) -> Tensor:
    members, rows = weight.shape[1:3]
    turned = torch.bmm(_by_row(grad), _by_row(weight).transpose(1, 2))  # [(member row), d, head]
    return turned.transpose(1, 2).unflatten(0, (members, rows))


def _weights_grad(values: Tensor, grad: Tensor) -> Tensor:
    members, rows, heads, _ = values.shape
    products = torch.bmm(values.flatten(0, 1), _by_row(grad))  # [(member row), head, column]
    return products.view(members, rows, heads, -1).permute(2, 0, 1, 3)
