"""M8, M9 measured: the directions of unembeddings, and the second-order theory of their vectors.

Both are asked at several scales of the logits: near the uniform prediction the divergence is
quadratic, and any theory of second order must hold. ``uniform`` says how far from it a distribution
is: the divergence of the uniform prediction, in nats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.data.draw import RankedDistributions, ScaledDistributions
from pipeline.labs.memory.measure import geometry
from pipeline.labs.memory.models.low_rank import LowRank

Metrics = dict[str, Any]

# M8's rule: U spans the leading directions if every seed of the interval is nearer to them than
# half of what random directions are at.
NEAR = 0.5
# M9's rule, at distributions that are far from uniform: the vectors explain the trained ones if
# their cosines are 0.99 and the plain singular value decomposition is twice as far off.
FAR_FROM_UNIFORM = 0.5  # nats
COSINE = 0.99
FACTOR = 2.0


@dataclass(frozen=True)
class GeometryRow:
    """Projector distances of U's d columns from the true directions, and of random ones."""

    logit_scale: float
    rank: int
    alignment: str
    seed: int
    d: int
    uniform: float
    distance: float
    distance_to_W: float  # noqa: N815
    random: float


@dataclass(frozen=True)
class TheoryRow:
    """Divergences of predictions in nats, and how far their logits are from the trained ones.

    ``second_order`` and ``least_squares`` are vectors for the trained U: by the theory, and by
    plain least squares to the log-probabilities; ``truncated`` is the singular value decomposition,
    which knows no U. An ``error`` is of the centred logits, relative to the trained ones;
    ``relative_error`` of the vectors.
    """

    logit_scale: float
    seed: int
    uniform: float
    trained: float
    second_order: float
    least_squares: float
    truncated: float
    cosine: float
    cosine_transposed: float
    relative_error: float
    error_second_order: float
    error_least_squares: float
    error_truncated: float


def directions(
    ranked: RankedDistributions, low_rank: LowRank, draws: int, generator: torch.Generator
) -> pd.DataFrame:
    """M8: return a :class:`GeometryRow` for each distribution."""
    d, rows = low_rank.config.d, []
    for k, distribution in enumerate(ranked.distributions()):
        U, true = low_rank.U[k].detach(), geometry.log_probabilities(distribution).T
        rows.append(
            {
                "logit_scale": float(ranked.logit_scale[k]),
                "rank": int(ranked.rank[k]),
                "alignment": "aligned" if bool(ranked.axis_aligned[k]) else "unaligned",
                "seed": int(ranked.seeds[k]),
                "d": d,
                "uniform": float(distribution.divergence(torch.zeros_like(true.T))),
                "distance": geometry.projector_distance(U, true, d),
                "distance_to_W": geometry.projector_distance(U, ranked.W[k], d),
                "random": geometry.random_distance(true, d, draws, generator),
            }
        )
    return pd.DataFrame(rows)


def by_rank(table: pd.DataFrame) -> Metrics:
    """M8: return the distances over ranks, at the least scale of these rows."""
    groups = table[table.logit_scale == table.logit_scale.min()].groupby(["alignment", "rank"])
    return {f"{alignment}_rank{rank}": _spanned(rows) for (alignment, rank), rows in groups}


def by_scale(table: pd.DataFrame) -> Metrics:
    """M8: return the distances over the logits' scales, at the greatest rank of these rows."""
    groups = table[table["rank"] == table["rank"].max()].groupby(["alignment", "logit_scale"])
    return {f"{alignment}_scale_{scale:g}": _spanned(rows) for (alignment, scale), rows in groups}


def _spanned(rows: pd.DataFrame) -> Metrics:
    names = ("distance", "distance_to_W", "random", "uniform")
    measured: Metrics = {**summary(_columns(rows, names))}
    return measured | {"spanned": measured["distance_high"] < NEAR * measured["random_low"]}


def second_order(drawn: ScaledDistributions, low_rank: LowRank) -> pd.DataFrame:
    """M9: return a :class:`TheoryRow` for each distribution.

    ``cosine_transposed`` repeats the notebook's comparison of tables in different row orders.
    """
    rows = []
    for k, (distribution, seed) in enumerate(zip(*drawn.all(), strict=True)):
        U, e = low_rank.U[k].detach(), low_rank.e[k].detach()
        w = geometry.second_order_vectors(distribution, U)
        logits = {
            "second_order": w @ U.T,
            "least_squares": geometry.least_squares_vectors(distribution, U) @ U.T,
            "truncated": geometry.truncated_logits(distribution, low_rank.config.d),
        }
        trained, transposed = e @ U.T, geometry.transposed(e)
        divergences = {name: float(distribution.divergence(f)) for name, f in logits.items()}
        errors = {f"error_{name}": _relative(f, trained) for name, f in logits.items()}
        rows.append(
            {
                "logit_scale": float(drawn.logit_scale[k]),
                "seed": seed,
                "uniform": float(distribution.divergence(torch.zeros_like(trained))),
                "trained": float(distribution.divergence(trained)),
                **divergences,
                "cosine": float(torch.cosine_similarity(w, e, dim=1).median()),
                "cosine_transposed": float(torch.cosine_similarity(w, transposed, dim=1).median()),
                "relative_error": float((w - e).norm() / e.norm()),
                **errors,
            }
        )
    return pd.DataFrame(rows)


def _relative(logits: Float[Tensor, "context N"], trained: Float[Tensor, "context N"]) -> float:
    """Return the distance of logits from the trained ones over their size, means over c off."""
    centred = trained - trained.mean(1, keepdim=True)
    return float((logits - logits.mean(1, keepdim=True) - centred).norm() / centred.norm())


def explained(table: pd.DataFrame) -> Metrics:
    """M9: return medians for each scale, and whether the rule is met where the logits are large.

    ``truncated_over_second_order`` is the singular value decomposition's error over the theory's,
    ``loss_*`` a prediction's divergence over the trained one's. ``verdict.explained`` counts, of
    the ``verdict.scales`` at which the uniform prediction is far off, those where the rule is met.
    """
    metrics: Metrics = {}
    for scale, rows in table.groupby("logit_scale"):
        columns = [str(name) for name in rows if name not in ("logit_scale", "seed")]
        errors = rows.error_second_order
        measured = summary(
            {
                **_columns(rows, columns),
                "truncated_over_second_order": _values(rows.error_truncated / errors),
                "least_squares_over_second_order": _values(rows.error_least_squares / errors),
                "loss_second_order": _values(rows.second_order / rows.trained),
                "loss_truncated": _values(rows.truncated / rows.trained),
            }
        )
        metrics[f"scale_{scale:g}"] = measured | {"explained": _is_explained(measured)}
    far = [each for each in metrics.values() if each["uniform"] >= FAR_FROM_UNIFORM]
    verdict = {"scales": len(far), "explained": sum(each["explained"] for each in far)}
    return metrics | {"verdict": verdict}


def _is_explained(measured: Mapping[str, Any]) -> bool:
    ahead: float = measured["truncated_over_second_order_low"]
    return bool(measured["cosine_low"] >= COSINE and ahead >= FACTOR)


def _columns(rows: pd.DataFrame, names: Any) -> dict[str, Tensor]:
    return {str(name): _values(rows[name]) for name in names}


def _values(column: "pd.Series[float]") -> Tensor:
    return torch.tensor(column.to_numpy())
