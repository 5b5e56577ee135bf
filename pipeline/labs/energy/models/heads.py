"""E7: the energies of a layer's attention heads as functions of the residual stream, keys frozen.

With beta = 1 / sqrt(d_head), over the n keys that a query sees:
    softmax: |q|^2 / 2 - lse(beta, k.q) / beta, whose pure update is softmax attention;
    linear:  |q|^2 / 2 - beta / (2 n) sum (k.q)^2, whose pure update is linear attention.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.core.nn.attention import Kind
from pipeline.core.nn.transformer import Attention, Transformer


@dataclass(frozen=True)
class AttentionLayer:
    """One attention layer at work: where it reads, its frozen keys, and what it adds.

    ``query_of`` maps a stream to the heads' queries [member, batch, head, time, d_head]. Another
    kind of model needs only to be told in these terms. ``seen`` tells which keys each position of
    the stream sees, if they are not those of whole sequences.
    """

    stream: Float[Tensor, "member batch time d_model"]
    key: Float[Tensor, "member batch head key d_head"]
    update: Float[Tensor, "member batch time d_model"]
    query_of: Callable[[Tensor], Tensor]
    kind: Kind
    causal: bool
    seen: Bool[Tensor, "time key"] | None = None

    @property
    def n_heads(self) -> int:
        """Number of heads."""
        return self.key.shape[2]

    def at(self, positions: slice) -> "AttentionLayer":
        """Return the layer for some positions of the stream alone, with all keys: less work.

        For a ``query_of`` that knows no positions.
        """
        seen = visible(self.stream.shape[2], self.key.shape[3], self.causal)[positions]
        stream, update = self.stream[:, :, positions], self.update[:, :, positions]
        return replace(self, stream=stream, update=update, seen=seen)

    def energy(
        self, stream: Float[Tensor, "member batch time d_model"], *, whole: bool = True
    ) -> Float[Tensor, "member batch head time"]:
        """Return the heads' energies, or interactions, if queries came from ``stream``."""
        return self._of_queries(self.query_of(stream), whole)

    def energy_each(
        self, streams: Float[Tensor, "member batch head time d_model"], *, whole: bool = True
    ) -> Float[Tensor, "member batch head time"]:
        """Return head h's energy for its query from copy h of the stream."""
        each = [self.query_of(streams[:, :, h])[:, :, h] for h in range(self.n_heads)]
        return self._of_queries(torch.stack(each, dim=2), whole)

    def _of_queries(self, query: Tensor, whole: bool) -> Tensor:
        energy = head_energy if whole else interaction
        return energy(query, self.key, kind=self.kind, causal=self.causal, seen=self.seen)

    def gradient(self, *, whole: bool = True) -> Float[Tensor, "member batch head time d_model"]:
        """Return the gradient of each head's energy with respect to the stream at its position."""
        copies = self.stream.detach().unsqueeze(2).repeat(1, 1, self.n_heads, 1, 1).requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(self.energy_each(copies, whole=whole).sum(), copies)
        return gradient


def head_energy(
    query: Float[Tensor, "member batch head time d_head"],
    key: Float[Tensor, "member batch head key d_head"],
    *,
    kind: Kind,
    causal: bool,
    seen: Bool[Tensor, "time key"] | None = None,
) -> Float[Tensor, "member batch head time"]:
    """Return each query's energy over the keys it sees.

    Queries are at the last positions, unless ``seen`` tells which keys each sees.
    """
    matched = interaction(query, key, kind=kind, causal=causal, seen=seen)
    return query.square().sum(-1) / 2 + matched


def interaction(
    query: Float[Tensor, "member batch head time d_head"],
    key: Float[Tensor, "member batch head key d_head"],
    *,
    kind: Kind,
    causal: bool,
    seen: Bool[Tensor, "time key"] | None = None,
) -> Float[Tensor, "member batch head time"]:
    """Return the energy without |q|^2 / 2: low where a query matches keys, whatever its norm."""
    scores = query @ key.transpose(-1, -2)
    beta = 1 / math.sqrt(query.shape[-1])
    if seen is None:
        seen = visible(scores.shape[-2], scores.shape[-1], causal).to(scores.device)
    if kind == "softmax":
        return -(beta * scores).masked_fill(~seen, -torch.inf).logsumexp(-1) / beta
    return -beta / 2 * (scores.square() * seen).sum(-1) / seen.sum(-1)


def visible(queries: int, keys: int, causal: bool) -> Bool[Tensor, "query key"]:
    """Return which keys each query sees."""
    everything = torch.ones(queries, keys, dtype=torch.bool)
    return everything.tril(keys - queries) if causal else everything


def layers_of(
    model: Transformer, inputs: Float[Tensor, "member batch time d_in"]
) -> list[AttentionLayer]:
    """Return a transformer's layers at work on whole sequences, from its activation cache."""
    cache: dict[str, Tensor] = {}
    with torch.no_grad():
        model(inputs, cache=cache)
        return [_layer(model, cache, index) for index in range(model.config.n_layers)]


def _layer(model: Transformer, cache: dict[str, Tensor], index: int) -> AttentionLayer:
    attention = model.layers[index]
    assert isinstance(attention, Attention)
    z = cache[f"layer_{index}.z"].transpose(2, 3).flatten(3)
    return AttentionLayer(
        stream=cache[f"layer_{index}.residual"],
        key=cache[f"layer_{index}.k"],
        update=(z.flatten(1, 2) @ attention.W_O).view(*z.shape[:3], -1),
        query_of=lambda stream: attention.split(model.normed(stream), attention.W_Q),
        kind=model.config.attention,
        causal=model.config.causal,
    )
