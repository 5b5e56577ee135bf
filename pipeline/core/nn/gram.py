"""Unmasked linear attention from the Gram matrix of the tokens, with a backward pass by hand.

K^T V = W_K^T (X^T X) W_V, and the heads are the diagonal blocks of it: one Gram matrix of the
tokens serves all heads, and nothing of size time x d_model is made but the queries and the output.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable


def gram_attention(
    x: Float[Tensor, "member batch key d_model"],
    queries: Float[Tensor, "member batch query d_model"],
    weights: Sequence[Float[Tensor, "member d_model d_model"]],
    d_head: int,
) -> Float[Tensor, "member batch query d_model"]:
    """Return unmasked linear attention with its projections, W_Q, W_K, W_V, W_O, from X^T X alone.

    The same numbers as :func:`pipeline.core.nn.attention.attend` to rounding, at a quarter of its
    time on one core. Its gradient cannot be differentiated again.
    """
    d_model, n_key = x.shape[-1], x.shape[-2]
    head = torch.arange(d_model, device=x.device) // d_head
    blocks = (head[:, None] == head).to(x.dtype) / (math.sqrt(d_head) * n_key)
    # torch.func's transforms (a Jacobian, vmap) need operations that they know.
    if torch._C._are_functorch_transforms_active():
        return _plain(x, queries, weights, blocks)
    out: Tensor = _GramAttention.apply(x, queries, *weights, blocks)
    return out


def _plain(x: Tensor, queries: Tensor, weights: Sequence[Tensor], blocks: Tensor) -> Tensor:
    w_q, w_k, w_v, w_o = (w[:, None] for w in weights)
    memory = (w_k.transpose(-1, -2) @ (x.transpose(-1, -2) @ x) @ w_v) * blocks
    return queries @ (w_q @ memory @ w_o)


class _GramAttention(torch.autograd.Function):
    """Every product with a weight on its right is one product of all sequences' rows.

    So its gradient is one product too, where autograd makes one a sequence and sums them. In the
    names, ``memory`` is K^T V and ``read`` memory W_O: what a query's row is multiplied by.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        queries: Tensor,
        w_q: Tensor,
        w_k: Tensor,
        w_v: Tensor,
        w_o: Tensor,
        blocks: Tensor,
    ) -> Tensor:
        x = x.flatten(0, 1)
        gram = torch.bmm(x.mT, x)
        valued = _rows_times(gram, w_v)
        memory = _times_each(w_k.mT, valued).mul_(blocks)
        read = _rows_times(memory, w_o)
        q = _rows_times(queries.flatten(0, 1), w_q)
        ctx.save_for_backward(x, queries, w_q, w_k, w_v, w_o, blocks, gram, valued, memory, read, q)
        return torch.bmm(q, read).view(queries.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, queries, w_q, w_k, w_v, w_o, blocks, gram, valued, memory, read, q = ctx.saved_tensors
        members, batch = queries.shape[:2]
        grad = grad.flatten(0, 1)
        d_q, d_read = torch.bmm(grad, read.mT), torch.bmm(q.mT, grad)
        d_memory = _rows_times(d_read, w_o.mT).mul_(blocks)
        # gram is symmetric: W_V's gradient is gram d_valued.
        d_valued = _times_each(w_k, d_memory)
        d_gram = _rows_times(d_valued, w_v.mT)
        d_x = torch.bmm(x, d_gram + d_gram.mT)
        return (
            d_x.unflatten(0, (members, batch)),
            _rows_times(d_q, w_q.mT).view(queries.shape),
            _summed(queries.flatten(0, 1), d_q, members),
            torch.bmm(valued, d_memory.mT).unflatten(0, (members, batch)).sum(1),
            _summed(gram, d_valued, members),
            _summed(memory, d_read, members),
            None,
        )


def _rows_times(x: Tensor, weight: Tensor) -> Float[Tensor, "sequence row d"]:
    """Multiply every sequence's rows by its member's weight: one product a member."""
    return (x.reshape(len(weight), -1, x.shape[-1]) @ weight).view(*x.shape[:-1], -1)


def _times_each(weight: Tensor, x: Tensor) -> Float[Tensor, "sequence d column"]:
    """Multiply the member's weight by every sequence's matrix."""
    members = len(weight)
    return (weight[:, None] @ x.unflatten(0, (members, -1))).flatten(0, 1)


def _summed(x: Tensor, y: Tensor, members: int) -> Float[Tensor, "member d e"]:
    """Return each member's sum over sequences of x^T y."""
    return x.reshape(members, -1, x.shape[-1]).mT @ y.reshape(members, -1, y.shape[-1])
