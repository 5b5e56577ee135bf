"""All N^2 contexts from token tables, M members at once: what the full-batch engine computes with.

With two-token contexts every query, key and value of the first layer is a function of one token, so
N rows stand for N^2 contexts. The general path (:class:`AttentionMemory`) computes the same from
the contexts one by one.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from pipeline.labs.memory.data.batches import Batch
from pipeline.labs.memory.kernels.mlp_kl import mlp_kl
from pipeline.labs.memory.kernels.pairs import first_key_weight, pair_attention
from pipeline.labs.memory.kernels.unembed_kl import Stream, unembed_kl, unembed_logits
from pipeline.labs.memory.models.attention import AttentionMemory, Layer, Rows

FirstRows = Float[Tensor, "member first d"]


def bytes_needed(N: int, heads: int, members: int, mlp_width: int, item: int = 4) -> int:
    """Estimate the memory that the distributions, their batch and a step take at their peak.

    The float64 tables, and what is made on the way to a Batch, are five times the logits. ``heads``
    counts attention patterns.
    """
    pairs = N * N
    return 2 * members * pairs * item * (5 * N + 3 * heads + 2 * mlp_width)


def divergence(model: AttentionMemory, batch: Batch) -> Float[Tensor, " member"]:
    """Return each member's weighted divergence on the batch's contexts, in nats."""
    last = model.layers[-1]
    assert isinstance(last, Layer)
    if batch.pair is None and model.config.mlp_width:
        before = stream(model, batch.first, last_mlp=False).flatten(2)
        skip = not model.config.skips.residual
        weights, biases = list(last.mlp_W), list(last.mlp_b)
        return mlp_kl(before, weights, biases, model.U, batch.target, skip=skip)
    return unembed_kl(chosen(model, batch), model.U, batch.target)


def chosen(model: AttentionMemory, batch: Batch) -> Stream:
    """Return what U reads at the batch's contexts.

    A few contexts of a model with an MLP or several layers cost less by the general path.
    """
    if batch.pair is not None and (model.config.n_layers > 1 or model.config.mlp_width):
        N = model.config.N
        cache: dict[str, Tensor] = {}
        model(torch.stack([batch.pair // N, batch.pair % N], 2), cache)
        return cache["stream"].permute(2, 0, 1)
    x = stream(model, batch.first).flatten(2)
    if batch.pair is None:
        return x
    return x.gather(2, batch.row(model.config.N).expand(x.shape[0], -1, -1))


def accuracy(model: AttentionMemory, batch: Batch) -> Float[Tensor, " member"]:
    """Return the weighted probability, under the target, of the token that the model prefers."""
    guess = unembed_logits(chosen(model, batch), model.U).argmax(1)
    target = batch.target
    if target.token is not None:
        hit = (guess == target.token).to(target.weight.dtype)
    else:
        assert target.distribution is not None
        hit = target.distribution.gather(1, guess[:, None])[:, 0]
    return (hit * target.weight).sum(1)


def stream(
    model: AttentionMemory,
    rows: Int[Tensor, "member row"] | None = None,
    *,
    last_mlp: bool = True,
) -> Float[Tensor, "d member first second"]:
    """Return what U reads, for every context (first, second), channels first.

    The first position sees itself alone, so it stays a table over the first token in every layer:
    over all tokens, or over those in ``rows``. Without ``last_mlp`` the last MLP is left out.
    """
    E, P = model.E, model.P
    layers = [layer for layer in model.layers if isinstance(layer, Layer)]
    first: Tensor = E
    if rows is not None:
        first = E.gather(1, rows[:, :, None].expand(-1, -1, E.shape[2]))
    second = first_layer(layers[0], first, E, P)
    for number, layer in enumerate(layers):
        if number:
            second = deeper_layer(layer, first, second, P)
        last = number + 1 == len(layers)
        if last_mlp or not last:
            second = _mlp(layer, second)
        if not last:
            first = layer.mlp(layer.add(first, _alone(layer, first, P[:, 0])))
    return second


def first_layer(
    layer: Layer, first: FirstRows, E: Rows, P: Tensor
) -> Float[Tensor, "d member first second"]:
    """Apply the first layer's attention to tables of the first and of the second tokens."""
    keys = _tables(layer, first, E, P)
    out = pair_attention(
        keys["first_key"], keys["query"], keys["second_key"],
        _values(layer, first, P[:, 0]), _values(layer, E, P[:, 1]),
    )  # fmt: skip
    if layer.config.skips.residual:
        return out
    return out + E.permute(2, 0, 1)[:, :, None]


def attention_maps(layer: Layer, E: Rows, P: Tensor) -> Float[Tensor, "head member first second"]:
    """Return the first layer's attention to the first token, for every head and context."""
    tables = _tables(layer, E, E, P)
    return first_key_weight(tables["first_key"], tables["query"], tables["second_key"])


def _tables(layer: Layer, first: FirstRows, second: Rows, P: Tensor) -> dict[str, Tensor]:
    at_first, at_second = layer.inputs(first, P[:, 0])[0], layer.inputs(second, P[:, 1])[0]
    scale = (layer.config.patterns_per_head / layer.config.d_head) ** 0.5
    return {
        "first_key": layer.split(at_first, layer.W_K).permute(2, 0, 1, 3),
        "second_key": layer.split(at_second, layer.W_K).permute(2, 0, 1, 3),
        "query": layer.split(at_second, layer.W_Q).permute(2, 0, 1, 3) * scale,
    }


def _values(layer: Layer, x: Tensor, position: Tensor) -> Float[Tensor, "member row head d"]:
    """Return each head's OV output for rows at one position."""
    _, seen = layer.inputs(x, position)
    members, rows, _ = x.shape
    by_pattern = layer.W_V.unflatten(-1, (layer.config.patterns_per_head, -1))
    W_V = by_pattern.transpose(2, 3).flatten(1, 2)
    OV = W_V @ layer.output_map  # [member, head, d_head, d]
    joined = OV.transpose(1, 2).flatten(2)
    return (seen @ joined).view(members, rows, layer.config.n_patterns, -1)


def deeper_layer(
    layer: Layer, first: Tensor, second: Tensor, P: Tensor
) -> Float[Tensor, "d member first second"]:
    """Apply a later layer: the first position is still a table, the second one has every pair."""
    d, members, n_first, n_second = second.shape
    rows = second.permute(1, 2, 3, 0).flatten(1, 2)
    (qk_first, ov_first), (qk, ov) = layer.inputs(first, P[:, 0]), layer.inputs(rows, P[:, 1])

    def split(x: Tensor, weight: Tensor) -> Tensor:
        width = weight.shape[-1] // layer.config.patterns_per_head
        return layer.split(x, weight).view(members, n_first, -1, layer.config.n_patterns, width)

    gap = split(qk_first, layer.W_K) - split(qk, layer.W_K)
    query = split(qk, layer.W_Q) * (layer.config.patterns_per_head / layer.config.d_head) ** 0.5
    weight = (query * gap).sum(-1, keepdim=True).sigmoid()
    value = split(ov, layer.W_V)
    first_value = split(ov_first, layer.W_V).expand_as(value)
    mixed = torch.lerp(value, first_value, weight.expand_as(value))
    out = mixed.reshape(members, n_first * n_second, -1) @ layer.output_map.flatten(1, 2)
    return layer.add(rows, out).view(members, n_first, n_second, d).permute(3, 0, 1, 2)


def _alone(layer: Layer, x: Tensor, position: Tensor) -> Tensor:
    """Return the attention output of rows that see themselves alone: the sum of their values."""
    return _values(layer, x, position).sum(2)


def _mlp(layer: Layer, x: Tensor) -> Float[Tensor, "d member first second"]:
    """Apply the layer's MLP with channels first."""
    if not layer.config.mlp_width:
        return x
    hidden = x.flatten(2).transpose(0, 1)
    for index, (W, b) in enumerate(zip(layer.mlp_W, layer.mlp_b, strict=True)):
        active = functional.gelu(hidden) if index else hidden
        hidden = torch.baddbmm(b[:, :, None], W.transpose(1, 2), active)
    return layer.add(x, hidden.transpose(0, 1).unflatten(2, x.shape[2:]))
