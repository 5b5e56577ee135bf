"""The memory lab's trained models at work, for E7's instrument."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from pipeline.labs.energy.heads import Layer
from pipeline.labs.memory import models as memory
from pipeline.runtime import saved_models

LAST = slice(-1, None)  # the position that predicts


def at_work(inputs: Path, count: int) -> Iterator[tuple[str, list[Layer], slice]]:
    """Yield the models of the published sizes on the first ``count`` contexts (a, b), in order."""
    path = inputs / "memory_train_published" / "models.safetensors"
    models = saved_models.read_models(path, memory.AttentionMemory)
    for name, model in models.items():
        context = torch.arange(min(count, model.config.N**2))
        tokens = torch.stack([context // model.config.N, context % model.config.N], dim=1)
        of_all = tokens.expand(model.members, -1, -1)
        with torch.no_grad():
            yield f"memory_{name}", list(layers_of(model.double(), of_all)), LAST


def layers_of(model: memory.AttentionMemory, tokens: Tensor) -> Iterator[Layer]:
    """Yield each layer with the stream it reads, its keys, and what its heads add."""
    members, batch, time = tokens.shape
    index = tokens.flatten(1)[:, :, None].expand(-1, -1, model.config.d)
    stream = model.E.gather(1, index).view(members, batch, time, -1)
    for layer in model.layers:
        assert isinstance(layer, memory.Layer)
        update = layer.attention(stream, model.P)[0].sum(3)
        yield Layer(
            stream=stream,
            key=projected(layer, layer.W_K, model.P, stream),
            update=update,
            query_of=partial(projected, layer, layer.W_Q, model.P),
            kind="softmax",
            causal=True,
        )
        moved = layer.add(stream, update)
        stream = layer.mlp(moved.flatten(1, 2)).view(members, batch, time, -1)


def projected(layer: memory.Layer, weight: Tensor, P: Tensor, stream: Tensor) -> Tensor:
    """Return queries or keys [member, batch, head, time, d_sub] of a stream."""
    members, batch, time, _ = stream.shape
    seen = [layer.inputs(stream[:, :, t], P[:, t])[0] for t in range(time)]
    rows = torch.stack(seen, dim=2).flatten(1, 2)
    heads = layer.split(rows, weight)
    return heads.view(members, batch, time, heads.shape[2], -1).transpose(2, 3)
