"""The divergence of one layer of heads on chosen contexts, with all its gradients in one pass.

A batch of 256 contexts out of 2,500 spends most of its time in the calls of automatic
differentiation, and in tables of pairs that it does not read. With two tokens a head's output is
linear in its attention w to the first of them: with x_a, x_b the rows with their positions,

    out = e_b + sum_h x_b OV_h + sum_h w_h (x_a - x_b) OV_h,
    w_h = sigmoid(x_b QK_h (x_a - x_b)^T),  QK_h = W_Q W_K^T / sqrt(d),  OV_h = W_V W_O,

so that a handful of matrix products gives the loss, and as many its gradients.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from pipeline.labs.memory.data.batches import Batch
from pipeline.labs.memory.kernels.unembed_kl import Target, loss_and_gradients
from pipeline.labs.memory.models.attention import AttentionMemory, AttentionMemoryConfig, Layer
from pipeline.labs.memory.models.shapes import NO_FREEZE, NO_SKIPS

Rows = Float[Tensor, "member context d"]
Table = Float[Tensor, "member token d"]
Maps = Float[Tensor, "member head d d"]
Tokens = Int[Tensor, "member context"]


def divergence(model: AttentionMemory, batch: Batch) -> Float[Tensor, " member"]:
    """Return each member's weighted divergence in nats on the batch's contexts.

    Raises ValueError for a model that is not plain: see :func:`is_plain`.
    """
    layer = model.layers[0]
    assert isinstance(layer, Layer)
    if not is_plain(model.config):
        raise ValueError(f"one plain layer of heads is needed, got {model.config}")
    pair, N = batch.pair, model.config.N
    if pair is None:
        if batch.first is not None:
            raise ValueError("all contexts of a part of the first tokens are not computed here")
        pair = torch.arange(N * N, device=model.U.device).expand(model.members, -1)
    loss: Tensor = _ContextKL.apply(
        model.E, model.P, layer.W_Q, layer.W_K, layer.W_V, layer.W_O, model.U,
        pair // N, pair % N, batch.target,
    )  # fmt: skip
    return loss - batch.target.entropy


def is_plain(config: AttentionMemoryConfig) -> bool:
    """Tell whether a model is one layer of heads as wide as the stream, and nothing else."""
    return (
        config.n_layers == config.patterns_per_head == 1
        and config.d_head == config.d
        and not config.mlp_width
        and not config.norm
        and config.skips == NO_SKIPS
        and config.freeze == NO_FREEZE
    )


class _Seen(NamedTuple):
    """What the heads read and make: x_b, x_a - x_b, x_b x (x_a - x_b), w, w x (x_a - x_b)."""

    second: Rows
    gap: Rows
    product: Float[Tensor, "member context d*d"]
    weight: Float[Tensor, "member context head"]
    moved: Float[Tensor, "member context head*d"]


class _ContextKL(torch.autograd.Function):
    """Weighted cross entropy; the forward pass makes the gradients too."""

    @staticmethod
    def forward(
        ctx: Any, E: Table, P: Tensor, W_Q: Maps, W_K: Maps, W_V: Maps, W_O: Maps, U: Tensor,
        first: Tokens, second: Tokens, target: Target,
    ) -> Tensor:  # fmt: skip
        scale = W_Q.shape[-1] ** -0.5
        QK = (W_Q @ W_K.mT * scale).flatten(2).mT  # [member, d*d, head]
        OV = W_V @ W_O
        e_b = _rows(E, second)
        seen = _see(_rows(E, first), e_b, P, QK)
        every = OV.sum(1)
        x = e_b + seen.second @ every + seen.moved @ OV.flatten(1, 2)
        loss, d_x, d_U = loss_and_gradients(
            x.mT.contiguous(), U, target.weight, target.token, target.distribution
        )
        d_out = d_x.mT.contiguous()
        d_gap, d_second, d_QK, d_OV = _through_heads(seen, d_out, QK, OV)
        d_second += d_out @ every.mT
        d_OV += (seen.second.mT @ d_out)[:, None]
        d_QK = d_QK * scale
        d_E = torch.zeros_like(E)
        _add_rows(d_E, first, d_gap)
        _add_rows(d_E, second, d_out + d_second - d_gap)
        d_P0 = d_gap.sum(1)
        ctx.save_for_backward(
            d_E, torch.stack([d_P0, d_second.sum(1) - d_P0], 1),
            d_QK @ W_K, d_QK.mT @ W_Q, d_OV @ W_O.mT, W_V.mT @ d_OV, d_U,
        )  # fmt: skip
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        scaled = [d * grad.view(-1, *[1] * (d.ndim - 1)) for d in ctx.saved_tensors]
        return (*scaled, None, None, None)


def _rows(table: Table, tokens: Tokens) -> Rows:
    return table.gather(1, tokens[:, :, None].expand(-1, -1, table.shape[2]))


def _add_rows(table: Table, tokens: Tokens, rows: Rows) -> None:
    table.scatter_add_(1, tokens[:, :, None].expand_as(rows), rows)


def _see(e_a: Rows, e_b: Rows, P: Tensor, QK: Tensor) -> _Seen:
    second, gap = e_b + P[:, 1:], e_a - e_b + (P[:, :1] - P[:, 1:])
    product = (second[:, :, :, None] * gap[:, :, None]).flatten(2)
    weight = (product @ QK).sigmoid_()
    return _Seen(second, gap, product, weight, (weight[..., None] * gap[:, :, None]).flatten(2))


def _through_heads(
    seen: _Seen, d_out: Rows, QK: Tensor, OV: Maps
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients by x_a - x_b, x_b (through the scores alone), QK and OV."""
    members, contexts, d = d_out.shape
    heads, many = OV.shape[1], members * contexts
    gap, second = seen.gap.view(many, d, 1), seen.second.view(many, d, 1)
    d_moved = (d_out @ OV.flatten(1, 2).mT).view(many, heads, d)
    weight = seen.weight.view(many, 1, heads)
    d_score = torch.bmm(d_moved, gap).view(members, contexts, heads)
    d_score = d_score * seen.weight * (1 - seen.weight)
    d_product = (d_score @ QK.mT).view(many, d, d)
    d_gap = torch.bmm(weight, d_moved) + torch.bmm(second.mT, d_product)
    d_second = torch.bmm(d_product, gap)
    d_QK = (seen.product.mT @ d_score).mT.reshape(members, heads, d, d)
    d_OV = (seen.moved.mT @ d_out).view(members, heads, d, d)
    return d_gap.view_as(d_out), d_second.view_as(d_out), d_QK, d_OV
