"""C6, C7: attention as a computation graph: which inputs does the label depend on?

Answers are compared. By attention weight: readout times attention, summed over the queries, so that
a weight stands for each key (``attention_key``); or contracted with the key index, so that one
stands for each query, as the tutorial's plot has it (``attention_query``). By attention times value
(``attention_value``): each key's share of the logit. By bit flips (``bit_flip``): how much the
logit changes if the bit is flipped. By the weights that the rule's own query gives
(``rule_query``). A method hits if its top s positions are the active rule's targets.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pipeline.labs.conjunction.data.task import Bits, Labels, Targets
from pipeline.labs.conjunction.models.attention import BinaryAttention
from pipeline.labs.conjunction.models.token_attention import indicators, token_pattern

METHODS = ("rule_query", "attention_query", "attention_key", "attention_value", "bit_flip")
Influence = Float[Tensor, "member sample position"]


def tokens_of(bits: Bits) -> Tensor:
    """Return the index of the token at each position of each sequence."""
    positions = bits.shape[-1]
    return bits.long() * positions + torch.arange(positions)


def pattern(model: BinaryAttention, bits: Bits) -> Float[Tensor, "member sample query key"]:
    """Return the T x T attention weights of a model with one query a token."""
    scores, _ = model.tables()
    full = token_pattern(scores, indicators(bits))
    tokens = tokens_of(bits)
    keys = tokens[:, :, None].expand(-1, -1, full.shape[2], -1)
    queries = tokens[..., None].expand(-1, -1, -1, bits.shape[-1])
    return full.gather(3, keys).gather(2, queries)


def influences(model: BinaryAttention, bits: Bits) -> dict[str, Influence]:
    """Return each method's influence of every position on the logit of every sequence."""
    weights = pattern(model, bits)
    readout = model.readouts()[:, : bits.shape[-1]]
    by_key = torch.einsum("mq,mbqk->mbk", readout, weights)
    return {
        "rule_query": weights[:, :, -1],
        "attention_query": torch.einsum("mbqk,mk->mbq", weights, readout),
        "attention_key": by_key,
        "attention_value": by_key * values_of(model, bits),
        "bit_flip": flips(model, bits),
    }


def values_of(model: BinaryAttention, bits: Bits) -> Influence:
    """Return the value of the token at each position of each sequence."""
    _, values = model.tables()
    return values[:, None].expand(-1, bits.shape[1], -1).gather(2, tokens_of(bits))


def flips(model: BinaryAttention, bits: Bits) -> Influence:
    """Return the logit minus that with the position's bit flipped."""
    before = model(indicators(bits))
    changed = []
    for position in range(bits.shape[-1]):
        flipped = bits.clone()
        flipped[..., position] = 1 - flipped[..., position]
        changed.append(before - model(indicators(flipped)))
    return torch.stack(changed, dim=-1)


def mean_where(
    values: Influence, chosen: Bool[Tensor, "member sample"]
) -> Float[Tensor, "member position"]:
    """Return each member's mean over its chosen samples; nan if there are none."""
    mask = chosen[..., None].to(values.dtype)
    return (values * mask).sum(1) / mask.sum(1)


def graphs(
    influences: Mapping[str, Influence], bits: Bits, labels: Labels
) -> dict[str, Float[Tensor, "rule member position"]]:
    """Average the influences over the positive samples of each rule (the last bit)."""
    return {
        method: torch.stack(
            [mean_where(values, (labels == 1) & (bits[..., -1] == rule)) for rule in (0, 1)]
        )
        for method, values in influences.items()
    }


def hits(
    graph: Float[Tensor, "rule member position"], targets: Targets
) -> Bool[Tensor, "rule member"]:
    """Whether the s free positions of largest absolute influence are the rule's targets."""
    size = targets.shape[-1]
    top = graph[..., :-1].abs().topk(size, dim=-1).indices.sort(-1).values
    return (top == targets.transpose(0, 1)).all(-1)


def weight_statistics(
    weights: Influence, chosen: Bool[Tensor, "member sample"]
) -> Float[Tensor, "2 member position"]:
    """Return mean and standard deviation of weights over each member's chosen samples (C6)."""
    mean = mean_where(weights, chosen)
    variance = mean_where((weights - mean[:, None]).square(), chosen)
    return torch.stack([mean, variance.sqrt()])
