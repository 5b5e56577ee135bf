"""M5-M7 measured: attention maps, heads and superposition, as metrics and as arrays to draw.

A figure shows one seed; it is the median one by the quantity that the figure is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from pipeline.core.stats.intervals import band, summary
from pipeline.labs.memory.data.distribution import Distribution
from pipeline.labs.memory.kernels import full_batch
from pipeline.labs.memory.measure import geometry, heads
from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.labs.memory.models.low_rank import LowRank
from pipeline.labs.memory.train.cells import in_float64

Metrics = dict[str, Any]
Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class MapArrays:
    """M5: one seed's attention to the first token, and the bands of all seeds' singular values.

    ``possible`` contexts are those that occur; ``singular_seen`` is of their first tokens' rows.
    """

    maps: Float64[Array, "head N N"]
    possible: Bool[Array, "N N"]
    singular: Float64[Array, "3 N"]
    singular_seen: Float64[Array, "3 row"]
    seed: Int64[Array, ""]


@dataclass(frozen=True, kw_only=True)
class HeadArrays:
    """M6: one seed's heads, by context (first, second), or by right answer and token."""

    logit_difference: Float64[Array, "head N N"]
    total_logit_difference: Float64[Array, "N N"]
    direct_logit_attribution: Float64[Array, "head N N"]
    unembedding_coordinates: Float64[Array, "head N N"]
    gram: Float64[Array, "N N"]
    possible: Bool[Array, "N N"]
    seed: Int64[Array, ""]


@dataclass(frozen=True, kw_only=True)
class VectorArrays:
    """M7: one seed's inner products of unembeddings and of context vectors, and their cosines."""

    low_rank_U: Float64[Array, "N N"]  # noqa: N815
    low_rank_e: Float64[Array, "context context"]
    attention_U: Float64[Array, "N N"]  # noqa: N815
    attention_e: Float64[Array, "context context"]
    cosines: Float64[Array, "2 context"]
    inputs: Float64[Array, "place place"]
    seed: Int64[Array, ""]


def median_member(values: Float[Tensor, " member"]) -> int:
    """Return the member whose value is the median, the lower one of an even number."""
    return int(values.argsort(stable=True)[(len(values) - 1) // 2])


def attention(
    model: AttentionMemory, distributions: Sequence[Distribution], seeds: Sequence[int]
) -> tuple[Metrics, MapArrays]:
    """M5: attention maps, and every seed's singular values.

    ``heads`` is of the whole N x N maps, as in the notebook; ``heads_seen`` of what training can
    see: the spread over the contexts that occur, the singular values of the rows of their first
    tokens.
    """
    maps = heads.maps(model).double()
    N = model.config.N
    possible = torch.stack([one.contexts for one in distributions]).view(-1, N, N) > 0
    rows = torch.stack(
        [each[:, occurs.any(1)] for each, occurs in zip(maps, possible, strict=True)]
    )  # [member, head, first token that occurs, N]
    seen = torch.stack([each[:, at] for each, at in zip(maps, possible, strict=True)])
    singular = {"": torch.linalg.svdvals(maps), "_seen": torch.linalg.svdvals(rows)}
    spread = {"": maps.flatten(2).std(-1), "_seen": seen.std(-1)}
    ranks = {part: heads.effective_rank(values).mean(1) for part, values in singular.items()}
    metrics = {
        f"heads{part}": summary(
            {
                "effective_rank": ranks[part],
                "first_singular_share": (values[..., 0] / values.sum(-1)).mean(1),
                "spread": spread[part].mean(1),
            }
        )
        for part, values in singular.items()
    }
    shown = median_member(ranks["_seen"])
    arrays = MapArrays(
        maps=maps[shown].numpy(),
        possible=possible[shown].numpy(),
        singular=band(singular[""].flatten(0, 1)).numpy(),
        singular_seen=band(singular["_seen"].flatten(0, 1)).numpy(),
        seed=np.array(seeds[shown]),
    )
    return metrics, arrays


def contributions(
    model: AttentionMemory, distributions: Sequence[Distribution], seeds: Sequence[int]
) -> tuple[Metrics, HeadArrays]:
    """M6: each head's part of the logits, by both bases, alone and together."""
    double = in_float64(model)
    outputs = heads.head_outputs(double)
    logits = heads.to_logits(outputs, double.U)
    coordinates = heads.to_coordinates(outputs, double.U)
    answer = torch.stack([one.conditional.argmax(1) for one in distributions])
    weight = torch.stack([one.contexts for one in distributions])
    alone = heads.logit_difference(logits, answer)
    total = alone.sum(2)
    attribution = heads.by_answer(logits, answer, weight)
    positive = ((alone > 0).double() * weight[..., None]).sum(1)
    mean_total = (total * weight).sum(1)
    metrics = {
        "heads": summary(
            {
                "logit_difference": mean_total,
                "logit_difference_positive": ((total > 0) * weight).sum(1),
                "best_head_positive": positive.amax(1),
                "worst_head_positive": positive.amin(1),
                "answers_raised_by_all_heads": heads.answers_raised_by_all(attribution),
                "accuracy": ((logits.sum(2).argmax(-1) == answer) * weight).sum(1),
            }
        )
    }
    N, shown = model.config.N, median_member(mean_total)
    arrays = HeadArrays(
        logit_difference=alone[shown].T.reshape(-1, N, N).numpy(),
        total_logit_difference=total[shown].view(N, N).numpy(),
        direct_logit_attribution=attribution[shown].numpy(),
        unembedding_coordinates=heads.by_answer(coordinates, answer, weight)[shown].numpy(),
        gram=(double.U @ double.U.transpose(1, 2))[shown].numpy(),
        possible=(weight[shown] > 0).view(N, N).numpy(),
        seed=np.array(seeds[shown]),
    )
    return metrics, arrays


def superposition(
    model: AttentionMemory,
    low_rank: LowRank,
    distributions: Sequence[Distribution],
    seeds: Sequence[int],
) -> tuple[Metrics, VectorArrays]:
    """M7: inner products of the vectors, and their cosines with the right unembedding."""
    double = in_float64(model)
    with torch.no_grad():
        stream = full_batch.stream(double).flatten(2).permute(1, 2, 0)
    answer = torch.stack([one.conditional.argmax(1) for one in distributions])
    vectors = {
        "low_rank": (low_rank.e.detach(), low_rank.U.detach()),
        "attention": (stream, double.U.detach()),
    }
    metrics: Metrics = {}
    cosines: dict[str, list[Tensor]] = {}
    for name, (e, U) in vectors.items():
        cosines[name] = [geometry.answer_cosines(*one) for one in zip(e, U, answer, strict=True)]
        lost = [one.divergence(x @ u.T) for x, u, one in zip(e, U, distributions, strict=True)]
        middles = torch.stack([each.median() for each in cosines[name]])
        metrics[name] = summary({"cosine": middles, "divergence": torch.stack(lost)})
    shown = median_member(middles)  # of attention, the last
    order = answer[shown].argsort(stable=True)  # contexts of one answer side by side
    inputs = (double.E[shown] + double.P[shown][:, None]).flatten(0, 1).detach()
    grams = {
        f"{name}_{part}": geometry.gram(rows).numpy()
        for name, (e, U) in vectors.items()
        for part, rows in (("U", U[shown]), ("e", e[shown][order]))
    }
    arrays = VectorArrays(
        **grams,
        cosines=torch.stack([cosines[name][shown] for name in vectors]).numpy(),
        inputs=geometry.gram(inputs).numpy(),
        seed=np.array(seeds[shown]),
    )
    return metrics, arrays
