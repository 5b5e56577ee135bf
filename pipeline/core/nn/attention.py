"""Scaled dot-product attention in its softmax and linear forms, with a leading member axis."""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.narrow_softmax import NARROW, narrow_softmax_attention

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
    # torch.func's transforms (a Jacobian, vmap) need operations that they know.
    plain = query.shape[-1] >= NARROW or torch._C._are_functorch_transforms_active()
    if kind == "softmax" and not plain:
        return narrow_softmax_attention(query, key, value, causal=causal)
    return pattern(query, key, kind=kind, causal=causal) @ value
