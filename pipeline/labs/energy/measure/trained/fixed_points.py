"""E5 in trained models: where do a head's own queries end, if the update is repeated?

The essay tells of three kinds of fixed points in a trained BERT. Here every head's keys are frozen
and its update, the average of the keys that a query sees, is repeated until nothing moves.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.labs.energy.measure.phases import PhaseConfig
from pipeline.labs.energy.models import continuous
from pipeline.labs.energy.models.heads import AttentionLayer, visible

MAX_STEPS = 300
TOLERANCE = 1e-4  # of the longest key: a state that moves less has arrived


def attention(
    states: Float[Tensor, "*axes state d_head"],
    keys: Float[Tensor, "*axes key d_head"],
    seen: Bool[Tensor, "*#axes state key"],
    beta: float,
) -> Float[Tensor, "*axes state key"]:
    """Return each state's weights over the keys it sees."""
    return (beta * states @ keys.mT).masked_fill(~seen, -torch.inf).softmax(-1)


def settle(
    states: Float[Tensor, "*axes state d_head"],
    keys: Float[Tensor, "*axes key d_head"],
    seen: Bool[Tensor, "*#axes state key"],
    beta: float,
) -> Float[Tensor, "*axes state key"]:
    """Update the states until none moves; return the weights at the fixed points."""
    tolerance = TOLERANCE * float(keys.norm(dim=-1).amax())
    for _ in range(MAX_STEPS):
        after = attention(states, keys, seen, beta) @ keys
        moved = float((after - states).norm(dim=-1).amax())
        states = after
        if moved <= tolerance:
            break
    return attention(states, keys, seen, beta)


def weights(
    layer: AttentionLayer, positions: slice, *, repeated: bool
) -> Float[Tensor, "member batch head position key"]:
    """Return the attention of a softmax layer's queries: the layer's own, or at the fixed points.

    Raises ValueError for linear attention, whose energy has no such fixed points.
    """
    if layer.kind != "softmax":
        raise ValueError(f"fixed points are those of softmax attention, got {layer.kind}")
    query = layer.query_of(layer.stream)[..., positions, :]
    time = layer.stream.shape[2]
    seen = visible(time, layer.key.shape[3], layer.causal)[positions]
    beta = 1 / math.sqrt(query.shape[-1])
    return (settle if repeated else attention)(query, layer.key, seen, beta)


def shares(
    of_queries: Float[Tensor, "member batch head position key"],
    seen: Float[Tensor, " #position"],
    config: PhaseConfig,
) -> dict[str, Float[Tensor, " member"]]:
    """Return the share of each kind, and the median effective number over the keys seen.

    The kinds are E5's: *global* averages over more than ``global_above`` of the keys that the query
    sees (``seen`` a position), *single* over fewer than ``single_below``.
    """
    number = continuous.effective_number(of_queries)
    single = number < config.single_below
    whole = (number > config.global_above * seen) & ~single
    of_kinds = {"global": whole, "metastable": ~(whole | single), "single": single}
    found = {kind: of_kind.double().mean((1, 2, 3)) for kind, of_kind in of_kinds.items()}
    return found | {"part": (number / seen).flatten(1).median(1).values}


def kinds(
    layer: AttentionLayer, positions: slice, config: PhaseConfig
) -> dict[str, Float[Tensor, " member"]]:
    """Return the shares of the kinds at the fixed points, and (``step_*``) after one update."""
    time = layer.stream.shape[2]
    seen = visible(time, layer.key.shape[3], layer.causal)[positions].sum(-1).double()
    with torch.no_grad():
        one, end = (weights(layer, positions, repeated=repeated) for repeated in (False, True))
    after_one = shares(one, seen, config)
    return shares(end, seen, config) | {f"step_{name}": x for name, x in after_one.items()}
