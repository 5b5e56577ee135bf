"""E7, the other half of the essay's footnote 16: put the energy into the loss, and see.

The alignment of a head at a position is the cosine between the layer's real update of the stream
and minus the gradient of the head's energy: 1 if the layer is a step of steepest descent, positive
if it lowers the energy for small steps. Unlike the energy it has bounds, so a loss can weigh it.
The energy itself, which is what the footnote speaks of, is the other term: it has no lower bound,
as longer keys make every query's energy lower.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.transformer import Attention, Cache, Transformer
from pipeline.labs.energy.models.heads import head_energy, visible

SMALL = 1e-12  # added to squared norms: a zero update or gradient has alignment 0, not nan


def alignment(
    model: Transformer, cache: Cache, layer: int, *, shift: int = 0
) -> Float[Tensor, "member batch head time"]:
    """Return the alignment of every head, differentiably, from the activations of a forward pass.

    ``shift`` takes the update of another sequence, so many places before: the control.

    In closed form: with respect to q the softmax energy has the gradient q - (average of the keys),
    the linear one q - beta / n sum (k.q) k; W_Q carries it to the stream. ValueError for a model
    with norms, whose gradient is another.
    """
    if model.config.norm:
        raise ValueError("alignment has a closed form for models without norms alone, got norm")
    attention = model.layers[layer]
    assert isinstance(attention, Attention)
    q, k, z = (cache[f"layer_{layer}.{name}"] for name in "qkz")
    pattern = cache[f"layer_{layer}.pattern"]
    if model.config.attention == "linear":
        # The linear pattern holds (k.q) / (n sqrt(d_head)): beta / n times the scores.
        seen = visible(pattern.shape[-2], pattern.shape[-1], model.config.causal)
        pattern = pattern * seen.to(pattern.device)
    gradient = q - pattern @ k
    members, batch, heads, time, d_head = q.shape
    joined = z.transpose(2, 3).reshape(members, batch * time, heads * d_head)
    update = (joined @ attention.W_O).view(members, batch, 1, time, -1).roll(shift, dims=1)
    by_head = attention.W_Q.view(members, 1, -1, heads, d_head).permute(0, 1, 3, 4, 2)
    uphill = gradient @ by_head
    product = (update * uphill).sum(-1)
    square = update.square().sum(-1) * uphill.square().sum(-1)
    return -product / (square + SMALL).sqrt()


def mean_alignment(model: Transformer, cache: Cache, *, shift: int = 0) -> Float[Tensor, " member"]:
    """Return the mean alignment over layers, sequences, heads and positions past the first.

    The first position of a causal model sees only itself: its average is no retrieval.
    """
    layers = [
        alignment(model, cache, layer, shift=shift)[..., 1:].mean((1, 2, 3))
        for layer in range(model.config.n_layers)
    ]
    return torch.stack(layers).mean(0)


def mean_energy(model: Transformer, cache: Cache) -> Float[Tensor, " member"]:
    """Return the mean energy of the heads' queries, over the same as :func:`mean_alignment`."""
    kind, causal = model.config.attention, model.config.causal
    layers = [
        head_energy(cache[f"layer_{k}.q"], cache[f"layer_{k}.k"], kind=kind, causal=causal)
        for k in range(model.config.n_layers)
    ]
    return torch.stack([energy[..., 1:].mean((1, 2, 3)) for energy in layers]).mean(0)
