"""A model's activations at every position of its contexts; a forward's cache holds the last's."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.labs.memory.models import AttentionMemory, Layer


@dataclass(frozen=True)
class LayerActivations:
    """One layer at work: the stream that it reads, and what its heads add together."""

    layer: Layer
    positions: Float[Tensor, "member time d_head"]
    stream: Float[Tensor, "member batch time d"]
    update: Float[Tensor, "member batch time d"]

    @property
    def k(self) -> Float[Tensor, "member batch head time d_sub"]:
        """The heads' keys."""
        return self._projected(self.layer.W_K, self.stream)

    def q(
        self, stream: Float[Tensor, "member batch time d"]
    ) -> Float[Tensor, "member batch head time d_sub"]:
        """Return the queries that the heads would make of a stream."""
        return self._projected(self.layer.W_Q, stream)

    def _projected(self, weight: Tensor, stream: Tensor) -> Tensor:
        members, batch, time, _ = stream.shape
        # The positions are added to what the layer makes of the stream: one position at a time.
        inputs = [self.layer.inputs(stream[:, :, t], self.positions[:, t])[0] for t in range(time)]
        rows = torch.stack(inputs, dim=2).flatten(1, 2)
        heads = self.layer.split(rows, weight)
        return heads.view(members, batch, time, heads.shape[2], -1).transpose(2, 3)


def activations(
    model: AttentionMemory, tokens: Int[Tensor, "member batch time"]
) -> Iterator[LayerActivations]:
    """Yield every layer of a forward pass at work, in order."""
    members, batch, time = tokens.shape
    index = tokens.flatten(1)[:, :, None].expand(-1, -1, model.config.d)
    stream = model.E.gather(1, index).view(members, batch, time, -1)
    for layer in model.layers:
        assert isinstance(layer, Layer)
        update = layer.attention(stream, model.P)[0].sum(3)
        yield LayerActivations(layer, model.P, stream, update)
        after_attention = layer.add(stream, update)
        stream = layer.mlp(after_attention.flatten(1, 2)).view(members, batch, time, -1)
