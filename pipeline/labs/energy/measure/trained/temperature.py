"""E9, the essay's last step to attention: does beta = 1 / sqrt(d) warm a head out of a glass?

The softmax of a trained model is made hotter or colder, and everything else stays. Beside the
accuracy: from every key that an asked query sees the head's update is repeated, and the fixed
points are counted. One fixed point that averages over all keys is the hot phase; one at each key
is retrieval; many that mix a few keys (metastable) are what a spin glass would be.
"""

import copy
import math

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.transformer import Attention, Transformer
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.measure.phases import PhaseConfig
from pipeline.labs.energy.measure.trained.fixed_points import settle, shares
from pipeline.labs.energy.models.heads import layers_of, visible

STARTS = 32  # sequences of each seed whose fixed points are counted
SAME = 0.01  # weights of two fixed points that differ less, summed over keys, are one


def at_beta(model: Transformer, factor: float) -> Transformer:
    """Return a copy whose softmaxes have ``factor`` times the inverse temperature 1 / sqrt(d)."""
    other = copy.deepcopy(model)
    for layer in other.layers:
        assert isinstance(layer, Attention)
        with torch.no_grad():
            layer.W_Q.mul_(factor)
    return other


def temperature(
    task: recall.RecallConfig,
    model: Transformer,
    sequences: recall.Sequences,
    factor: float,
    config: PhaseConfig,
) -> dict[str, Float[Tensor, " member"]]:
    """Return the accuracy and the fixed points of the last layer at ``factor`` / sqrt(d_head).

    ``minima`` is the number of distinct fixed points over the number of keys that they start from;
    the shares of the kinds are over the starts.
    """
    hot = at_beta(model, factor)
    with torch.no_grad():
        accuracy = recall.accuracy(task, hot, sequences)
        layer = layers_of(hot, sequences.tokens[:, :STARTS])[-1]
        last = recall.query_positions(task).stop - 2
        keys = layer.key[..., : last + 1, :]
        beta = factor / math.sqrt(keys.shape[-1])
        end = settle(keys, keys, visible(last + 1, last + 1, causal=False), beta)
    seen = torch.tensor([float(last + 1)], dtype=torch.float64)
    found = {"accuracy": accuracy, "minima": distinct(end) / (last + 1)}
    return found | shares(end, seen, config)


def distinct(weights: Float[Tensor, "member batch head state key"]) -> Float[Tensor, " member"]:
    """Return the mean number of different rows."""
    apart = torch.cdist(weights, weights, p=1) > SAME
    earlier = torch.ones(apart.shape[-2:], dtype=torch.bool).tril(-1)
    new = (apart | ~earlier).all(-1)
    return new.sum(-1).double().mean((1, 2))
