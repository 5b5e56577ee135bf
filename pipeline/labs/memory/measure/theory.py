"""M8, M9 measured: the directions of unembeddings, and the second-order theory of their vectors."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.data.draw import RankedDistributions, TabulatedDistributions
from pipeline.labs.memory.measure import geometry
from pipeline.labs.memory.models.low_rank import LowRank

Metrics = dict[str, Any]


@dataclass(frozen=True)
class GeometryRow:
    """Projector distances of U's d columns from the true directions, and of random ones."""

    rank: int
    alignment: str
    seed: int
    d: int
    distance: float
    distance_to_W: float  # noqa: N815
    random: float


@dataclass(frozen=True)
class TheoryRow:
    """Divergences of four predictions in nats, and cosines of second-order and trained vectors."""

    seed: int
    trained: float
    second_order: float
    truncated: float
    uniform: float
    cosine: float
    cosine_transposed: float
    relative_error: float


def directions(
    ranked: RankedDistributions, low_rank: LowRank, draws: int, generator: torch.Generator
) -> tuple[Metrics, pd.DataFrame]:
    """M8: return distances over ranks, aligned or not, and a :class:`GeometryRow` for each seed."""
    d, rows = low_rank.config.d, []
    for k, distribution in enumerate(ranked.distributions()):
        U, true = low_rank.U[k].detach(), geometry.log_probabilities(distribution).T
        rows.append(
            {
                "rank": int(ranked.rank[k]),
                "alignment": "aligned" if bool(ranked.axis_aligned[k]) else "unaligned",
                "seed": int(ranked.seeds[k]),
                "d": d,
                "distance": geometry.projector_distance(U, true, d),
                "distance_to_W": geometry.projector_distance(U, ranked.W[k], d),
                "random": geometry.random_distance(true, d, draws, generator),
            }
        )
    table = pd.DataFrame(rows)
    metrics: Metrics = {}
    for (alignment, rank), seeds in table.groupby(["alignment", "rank"]):
        metrics[f"{alignment}_rank{rank}"] = summary(
            {n: torch.tensor(seeds[n].to_numpy()) for n in ("distance", "distance_to_W", "random")}
        )
    return metrics, table


def second_order(drawn: TabulatedDistributions, low_rank: LowRank) -> tuple[Metrics, pd.DataFrame]:
    """M9: return medians, and a :class:`TheoryRow` for each seed.

    ``cosine_transposed`` repeats the notebook's comparison of tables in different row orders.
    """
    rows = []
    for k, (distribution, seed) in enumerate(zip(*drawn.all(), strict=True)):
        U, e = low_rank.U[k].detach(), low_rank.e[k].detach()
        w = geometry.second_order_vectors(distribution, U)
        truncated = geometry.truncated_logits(distribution, low_rank.config.d)
        uniform = torch.zeros_like(distribution.conditional)
        rows.append(
            {
                "seed": seed,
                "trained": float(distribution.divergence(e @ U.T)),
                "second_order": float(distribution.divergence(w @ U.T)),
                "truncated": float(distribution.divergence(truncated)),
                "uniform": float(distribution.divergence(uniform)),
                "cosine": float(torch.cosine_similarity(w, e, dim=1).median()),
                "cosine_transposed": float(
                    torch.cosine_similarity(w, geometry.transposed(e), dim=1).median()
                ),
                "relative_error": float((w - e).norm() / e.norm()),
            }
        )
    table = pd.DataFrame(rows)
    quantities = {n: torch.tensor(table[n].to_numpy()) for n in table.columns if n != "seed"}
    return {"vectors": summary(quantities)}, table
