"""E7, the essay's observation 2: does a forward pass lower "a nested hierarchy of energies"?

Every layer's keys are frozen, and at each position the layers' energies (means over heads) are
functions of the stream there. *Own*: a layer's update lowers that layer's energy. *Joint*: it
lowers the sum of all layers' energies. Each by a full step and to first order. If the layers are
nested the order matters, so the control is the same model with its layers in another order.
"""

import copy
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from pipeline.core.nn.transformer import Transformer
from pipeline.labs.energy.models.heads import AttentionLayer, layers_of

SMALL = 1e-4  # of an update: its change of energy is first order; float64 leaves 1e-12 of it
ORDERS = 6  # shuffled orders at most
SHARE = 0.95  # of the inputs, at least, for "is minimised": fixed before any number was seen


def reordered(model: Transformer, order: Sequence[int]) -> Transformer:
    """Return a copy of the model whose layers (with their MLPs) come in another order."""
    other = copy.deepcopy(model)
    other.layers = nn.ModuleList(other.layers[k] for k in order)
    other.mlps = nn.ModuleList(other.mlps[k] for k in order) if len(other.mlps) else other.mlps
    return other


def orders(n_layers: int, generator: torch.Generator) -> list[list[int]]:
    """Draw distinct orders other than the model's own; for two layers there is one."""
    drawn: list[list[int]] = []
    for _ in range(100 * ORDERS):
        order = torch.randperm(n_layers, generator=generator).tolist()
        if order != sorted(order) and order not in drawn:
            drawn.append(order)
        if len(drawn) == ORDERS:
            break
    return drawn


def nested(
    model: Transformer,
    inputs: Tensor,
    positions: slice,
    generator: torch.Generator,
) -> dict[str, Float[Tensor, " member"]]:
    """Return shares of inputs for the model's own order, the shuffled ones, and the excess.

    Raises ValueError for a single layer, which has no other order.
    """
    n_layers = model.config.n_layers
    if n_layers < 2:
        raise ValueError(f"a nested hierarchy needs at least 2 layers, got {n_layers}")
    models = [model, *(reordered(model, order) for order in orders(n_layers, generator))]
    own, *others = (
        shares([layer.at(positions) for layer in layers_of(one, inputs)]) for one in models
    )
    values = dict(own)
    for name in own:
        shuffled = torch.stack([other[name] for other in others]).mean(0)
        values |= {f"{name}_shuffled": shuffled, f"{name}_excess": own[name] - shuffled}
    return values


def shares(layers: Sequence[AttentionLayer]) -> dict[str, Float[Tensor, " member"]]:
    """Return, over sequences and positions, how often energies fall along a forward pass.

    ``own_*`` and ``joint_*`` by the mean layer; ``every_own_*`` and ``every_joint_*`` where they
    fall in all layers; ``through`` where the joint energy ends below its start.
    """
    with torch.no_grad():
        falls = {
            f"{kind}_{size}": torch.stack(
                [_falls(layers, k, step, joint=kind == "joint") for k in range(len(layers))]
            )
            for kind in ("own", "joint")
            for size, step in (("small", SMALL), ("full", 1.0))
        }
        last = layers[-1].stream + layers[-1].update
        through = _joint(layers, last) < _joint(layers, layers[0].stream)
    values = {name: fall.double().mean((0, 2, 3)) for name, fall in falls.items()}
    values |= {f"every_{name}": fall.all(0).double().mean((1, 2)) for name, fall in falls.items()}
    return values | {"through": through.double().mean((1, 2))}


def _falls(
    layers: Sequence[AttentionLayer], k: int, step: float, *, joint: bool
) -> Bool[Tensor, "member batch position"]:
    counted, layer = layers if joint else layers[k : k + 1], layers[k]
    after = _joint(counted, layer.stream + step * layer.update)
    return after < _joint(counted, layer.stream)


def _joint(
    layers: Sequence[AttentionLayer], stream: Tensor
) -> Float[Tensor, "member batch position"]:
    energies = [layer.energy(stream).mean(2) for layer in layers]
    return torch.stack(energies).sum(0)
