"""M9: is the notebook's last output a failure of theory, or a table read in the wrong order?

It printed a number for each context (a, b), read here as the divergence of the trained logits over
that of the second-order ones. Its low-rank model stores the context (a, b) at a + N b, and the
distribution's table holds it at a N + b; a comparison row by row is then right where a = b, and of
two unrelated contexts elsewhere. So the ratios must be about 1 in those N contexts and in no other:
a failure of theory would not choose them.
"""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.data.distribution import Distribution
from pipeline.labs.memory.data.draw import ScaledDistributions
from pipeline.labs.memory.measure import geometry
from pipeline.labs.memory.models.low_rank import LowRank

Metrics = dict[str, Any]

PRINTED, PRINTED_TOKENS = "printed", 10
# The divergence that the notebook printed above its ratios, in nats: the scale of the logits whose
# trained divergence is nearest to it is the one to compare at.
PRINTED_DIVERGENCE = 0.026685121059417723


@dataclass(frozen=True)
class PrintedRatioRow:
    """A number of the notebook's last output: ``context`` counts them in their order."""

    context: int
    ratio: float


@dataclass(frozen=True)
class RatioRow:
    """A context's trained over second-order divergence; ``source`` is a seed, or ``printed``.

    ``ratio`` is with the trained table transposed, as the notebook reads it, ``ratio_in_order``
    without, which is not known of the notebook's.
    """

    source: str
    logit_scale: float | None
    first: int
    second: int
    ratio: float
    ratio_in_order: float | None


def context_divergences(
    distribution: Distribution, logits: Float[Tensor, "context N"]
) -> Float[Tensor, " context"]:
    """Return the divergence of softmax(logits) from p(c | a, b) in each context, in nats."""
    p = distribution.conditional
    return torch.xlogy(p, p).sum(1) - (p * logits.log_softmax(1)).sum(1)


def compared(
    drawn: ScaledDistributions, low_rank: LowRank, theory: pd.DataFrame, printed: pd.DataFrame
) -> pd.DataFrame:
    """Return the :class:`RatioRow` of the notebook and of every seed at the scale nearest to it.

    ``theory`` says what was trained at each scale, as :func:`theory.second_order` returns it, and
    ``printed`` holds the notebook's numbers.
    """
    here = ratios(drawn, low_rank, nearest_scale(theory))
    known = _rows(PRINTED, PRINTED_TOKENS, printed.sort_values("context").ratio.tolist(), None)
    return pd.concat([known.assign(logit_scale=math.nan), here], ignore_index=True)


def ratios(drawn: ScaledDistributions, low_rank: LowRank, scale: float) -> pd.DataFrame:
    """Return a :class:`RatioRow` for every context of each distribution of this scale."""
    tables = []
    for k, (distribution, seed) in enumerate(zip(*drawn.all(), strict=True)):
        if float(drawn.logit_scale[k]) != scale:
            continue
        U, e = low_rank.U[k].detach(), low_rank.e[k].detach()
        w = geometry.second_order_vectors(distribution, U)
        theory = context_divergences(distribution, w @ U.T)
        by_order = [
            (context_divergences(distribution, vectors @ U.T) / theory).tolist()
            for vectors in (geometry.transposed(e), e)
        ]
        tables.append(_rows(f"seed {seed}", distribution.N, *by_order))
    return pd.concat(tables, ignore_index=True).assign(logit_scale=scale)


def _rows(
    source: str, N: int, transposed: list[float], in_order: list[float] | None
) -> pd.DataFrame:
    contexts = range(len(transposed))
    return pd.DataFrame(
        {
            "source": source,
            "first": [k // N for k in contexts],
            "second": [k % N for k in contexts],
            "ratio": transposed,
            "ratio_in_order": [math.nan] * len(transposed) if in_order is None else in_order,
        }
    )


def nearest_scale(theory: pd.DataFrame) -> float:
    """Return the logits' scale whose median trained divergence is nearest to the printed one."""
    medians = theory.groupby("logit_scale").trained.median()
    return float((medians - PRINTED_DIVERGENCE).abs().idxmin())


def separation(table: pd.DataFrame) -> Metrics:
    """Return how the contexts a = b stand to the others, printed and here, and at which scale.

    ``equal_*`` are the least and greatest ratio of the contexts a = b, ``other_*`` of all others;
    ``separated`` says whether every one of the first is below every one of the second. ``chance``
    is the probability that the smallest of so many printed numbers are these by chance.
    """
    of_source = {str(name): _extremes(rows) for name, rows in table.groupby("source", sort=False)}
    printed = of_source.pop(PRINTED)
    contexts = table[table.source == PRINTED]
    equal = int((contexts["first"] == contexts.second).sum())
    scale = float(table.logit_scale.max())
    here = {name: torch.tensor([each[name] for each in of_source.values()]) for name in printed}
    own = table[table.source != PRINTED].groupby("source", sort=False).ratio_in_order
    here |= {f"in_order_{end}": _ends(own, end) for end in ("least", "greatest")}
    return {
        "printed": printed
        | {"contexts": len(contexts), "equal": equal}
        | {"chance": 1 / math.comb(len(contexts), equal)},
        "transposed": summary(here) | {"logit_scale": scale},
    }


def _extremes(rows: pd.DataFrame) -> dict[str, float]:
    equal = rows["first"] == rows.second
    same, other = rows[equal].ratio, rows[~equal].ratio
    return {
        "equal_least": float(same.min()), "equal_greatest": float(same.max()),
        "other_least": float(other.min()), "other_greatest": float(other.max()),
        "separated": float(same.max() < other.min()),
    }  # fmt: skip


def _ends(groups: Any, end: str) -> Tensor:
    return torch.tensor((groups.min() if end == "least" else groups.max()).to_numpy())
