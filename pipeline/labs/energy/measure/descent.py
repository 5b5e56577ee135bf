"""E7: does a transformer's attention layer lower its heads' energies? An instrument.

The essay calls attention a hidden step of gradient descent on a head's energy. For the *pure*
update (the query becomes the average of the keys) that is an identity, so measuring it says
nothing. What a trained layer does is another thing: it adds W_O z, made of *values*, to the stream,
from which the query would be read again. So freeze a head's keys, replace the stream x by x + u,
recompute the query, and see whether the head's energy falls, for
    u = the layer's real update W_O z,
and for controls of the same norm at the same place: another sequence's real update, a random
direction, and minus the gradient of the energy.

What decides is the *small* step: whether the energy falls to first order, which is the sign of the
cosine. A full step may be so long that minus the gradient itself, at that norm, ends higher; the
best of shorter steps along each direction (a line search) says how much there was to gain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.labs.energy.models.heads import AttentionLayer

DIRECTIONS = ("real", "other_sequence", "random", "minus_gradient")
Updates = Mapping[str, Float[Tensor, "member batch time d_model"]]
STEPS = tuple(4.0**-k for k in range(5))  # of a direction's length, tried by the line search


@dataclass(frozen=True)
class Change:
    """What one direction does to the energies of one layer's heads.

    ``change`` is the energy after minus before; ``cosine`` that between the direction and minus the
    gradient: positive if the energy falls for a small step. ``interaction_cosine`` is the cosine
    for the energy's second term alone, without the query's norm. ``gain`` is how far the energy
    falls at the best of :data:`STEPS`, 0 if it does at none.
    """

    change: Float[Tensor, "member batch head time"]
    cosine: Float[Tensor, "member batch head time"]
    interaction_cosine: Float[Tensor, "member batch head time"]
    gain: Float[Tensor, "member batch head time"]

    def lowered(self, positions: slice) -> Float[Tensor, "member head"]:
        """Return the fraction of sequences and positions at which the energy falls."""
        return (self.change[..., positions] < 0).double().mean((1, 3))

    def downhill(self, positions: slice) -> Float[Tensor, "member head"]:
        """Return the fraction at which it falls for a small step in the same direction."""
        return (self.cosine[..., positions] > 0).double().mean((1, 3))

    def matching(self, positions: slice) -> Float[Tensor, "member head"]:
        """Return the fraction at which a small step lowers the interaction: queries match keys."""
        return (self.interaction_cosine[..., positions] > 0).double().mean((1, 3))


def directions(
    real: Float[Tensor, "member batch time d_model"],
    gradient: Float[Tensor, "member batch head time d_model"],
    generator: torch.Generator,
    more: Updates | None = None,
) -> dict[str, Float[Tensor, "member batch head time d_model"]]:
    """Return the real update and its controls, all of the real one's norm, for every head.

    The other sequence is the one before in the batch. ``more`` are updates that the layer makes for
    other inputs, as further controls. Raises ValueError for a single sequence, which has no other.
    """
    if real.shape[1] < 2:
        raise ValueError(f"the control needs at least 2 sequences, got {real.shape[1]}")
    norm = real.norm(dim=-1, keepdim=True)
    noise = torch.randn(real.shape[1:], generator=generator, dtype=real.dtype).expand_as(real)
    of_all = {
        "real": real,
        "other_sequence": _rescaled(real.roll(1, dims=1), norm),
        "random": _rescaled(noise, norm),
        **{name: _rescaled(u, norm) for name, u in (more or {}).items()},
    }
    heads = gradient.shape[2]
    by_head = {name: u.unsqueeze(2).expand(-1, -1, heads, -1, -1) for name, u in of_all.items()}
    by_head["minus_gradient"] = _rescaled(-gradient, norm.unsqueeze(2))
    return by_head


def measure(
    layers: Sequence[AttentionLayer],
    generator: torch.Generator,
    more: Sequence[Updates] | None = None,
) -> list[dict[str, Change]]:
    """Return, for each layer, what every direction of :data:`DIRECTIONS` does to its heads.

    ``more`` has further controls for each layer, see :func:`directions`.
    """
    by_layer = []
    for k, layer in enumerate(layers):
        gradient, interaction = layer.gradient(), layer.gradient(whole=False)
        with torch.no_grad():
            of_all = directions(layer.update, gradient, generator, more[k] if more else None)
            changes = {name: _change(layer, u, gradient, interaction) for name, u in of_all.items()}
        by_layer.append(changes)
    return by_layer


def _change(layer: AttentionLayer, u: Tensor, gradient: Tensor, interaction: Tensor) -> Change:
    before, stream = layer.energy(layer.stream), layer.stream.unsqueeze(2)
    changes = torch.stack([layer.energy_each(stream + step * u) - before for step in STEPS])
    whole, matching = (
        torch.nn.functional.cosine_similarity(u, -uphill, dim=-1)
        for uphill in (gradient, interaction)
    )
    return Change(changes[0], whole, matching, gain=-changes.amin(0).clamp(max=0))


def _rescaled(u: Tensor, norm: Tensor) -> Tensor:
    # A vector of length zero has no direction: it stays zero.
    return u * (norm / u.norm(dim=-1, keepdim=True).clamp(min=torch.finfo(u.dtype).tiny))
