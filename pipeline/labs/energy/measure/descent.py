"""E7: does a transformer's attention layer lower its heads' energies? An instrument.

The essay calls attention a hidden step of gradient descent on a head's energy. For the *pure*
update (the query becomes the average of the keys) that is an identity, so measuring it says
nothing. What a trained layer does is another thing: it adds W_O z, made of *values*, to the stream,
from which the query would be read again. So freeze a head's keys, replace the stream x by x + u,
recompute the query, and see whether the head's energy falls, for
    u = the layer's real update W_O z,
and for controls of the same norm at the same place: another sequence's real update, a random
direction, and minus the gradient of the energy. The gradient's sign for *small* u is the cosine's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.labs.energy.models.heads import AttentionLayer

DIRECTIONS = ("real", "other_sequence", "random", "minus_gradient")


@dataclass(frozen=True)
class Change:
    """What one direction does to the energies of one layer's heads.

    ``change`` is the energy after minus before; ``cosine`` that between the direction and minus the
    gradient: positive if the energy falls for a small step.
    """

    change: Float[Tensor, "member batch head time"]
    cosine: Float[Tensor, "member batch head time"]

    def lowered(self, positions: slice) -> Float[Tensor, "member head"]:
        """Return the fraction of sequences and positions at which the energy falls."""
        return (self.change[..., positions] < 0).double().mean((1, 3))

    def downhill(self, positions: slice) -> Float[Tensor, "member head"]:
        """Return the fraction at which it falls for a small step in the same direction."""
        return (self.cosine[..., positions] > 0).double().mean((1, 3))


def directions(
    real: Float[Tensor, "member batch time d_model"],
    gradient: Float[Tensor, "member batch head time d_model"],
    generator: torch.Generator,
) -> dict[str, Float[Tensor, "member batch head time d_model"]]:
    """Return the real update and its controls, all of the real one's norm, for every head.

    Raises ValueError for a single sequence, which has no other.
    """
    if real.shape[1] < 2:
        raise ValueError(f"the control needs at least 2 sequences, got {real.shape[1]}")
    norm = real.norm(dim=-1, keepdim=True)
    noise = torch.randn(real.shape[1:], generator=generator, dtype=real.dtype).expand_as(real)
    of_all = {
        "real": real,
        "other_sequence": _rescaled(real.roll(1, dims=1), norm),
        "random": _rescaled(noise, norm),
    }
    heads = gradient.shape[2]
    by_head = {name: u.unsqueeze(2).expand(-1, -1, heads, -1, -1) for name, u in of_all.items()}
    by_head["minus_gradient"] = _rescaled(-gradient, norm.unsqueeze(2))
    return by_head


def measure(
    layers: Sequence[AttentionLayer], generator: torch.Generator
) -> list[dict[str, Change]]:
    """Return, for each layer, what every direction of :data:`DIRECTIONS` does to its heads."""
    by_layer = []
    for layer in layers:
        gradient = layer.gradient()
        with torch.no_grad():
            before = layer.energy(layer.stream)
            changes = {}
            for name, u in directions(layer.update, gradient, generator).items():
                after = layer.energy_each(layer.stream.unsqueeze(2) + u)
                cosine = torch.nn.functional.cosine_similarity(u, -gradient, dim=-1)
                changes[name] = Change(after - before, cosine)
        by_layer.append(changes)
    return by_layer


def _rescaled(u: Tensor, norm: Tensor) -> Tensor:
    # A vector of length zero has no direction: it stays zero.
    return u * (norm / u.norm(dim=-1, keepdim=True).clamp(min=torch.finfo(u.dtype).tiny))
