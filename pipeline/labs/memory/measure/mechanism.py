"""M5-M9 measured: what :mod:`inside` and :mod:`geometry` compute, as metrics and arrays to draw."""

from collections.abc import Mapping, Sequence

import pandas as pd
import torch
from torch import Tensor

from pipeline.core.stats.intervals import band, summary
from pipeline.labs.memory import datasets, exact, geometry, inside
from pipeline.labs.memory.comparison import Metrics
from pipeline.labs.memory.laws import Law
from pipeline.labs.memory.low_rank import LowRank, divergence
from pipeline.labs.memory.models import AttentionMemory
from pipeline.labs.memory.training import in_float64

Found = tuple[Metrics, dict[str, Tensor]]


def attention(model: AttentionMemory, laws: Sequence[Law]) -> Found:
    """M5: the attention maps of the first seed, and every seed's singular values.

    ``heads`` is of the whole N x N maps, as in the notebook; ``heads_seen`` of what training can
    see: the spread over the contexts that occur, the singular values of the rows of their first
    tokens.
    """
    maps = inside.maps(model).double()
    N = model.config.N
    possible = torch.stack([law.contexts for law in laws]).view(-1, N, N) > 0
    rows = torch.stack(
        [own[:, row.any(1)] for own, row in zip(maps, possible, strict=True)]
    )  # [member, head, first token that occurs, N]
    seen = torch.stack([own[:, at] for own, at in zip(maps, possible, strict=True)])
    singular = {"": torch.linalg.svdvals(maps), "_seen": torch.linalg.svdvals(rows)}
    spread = {"": maps.flatten(2).std(-1), "_seen": seen.std(-1)}
    metrics = {
        f"heads{part}": summary(
            {
                "effective_rank": inside.effective_rank(values).mean(1),
                "first_singular_share": (values[..., 0] / values.sum(-1)).mean(1),
                "spread": spread[part].mean(1),
            }
        )
        for part, values in singular.items()
    }
    bands = {f"singular{part}": band(values.flatten(0, 1)) for part, values in singular.items()}
    return metrics, {"maps": maps[0], "possible": possible[0], **bands}


def contributions(model: AttentionMemory, laws: Sequence[Law]) -> Found:
    """M6: each head's part of the logits, by both bases, alone and together."""
    double = in_float64(model)
    heads = inside.head_outputs(double)
    logits = inside.to_logits(heads, double.U)
    coordinates = inside.to_coordinates(heads, double.U)
    answer = torch.stack([law.conditional.argmax(1) for law in laws])
    weight = torch.stack([law.contexts for law in laws])
    solo = inside.differential(logits, answer)
    group = solo.sum(2)
    pushed = inside.pushes(logits, answer, weight)
    accuracy = ((logits.sum(2).argmax(-1) == answer) * weight).sum(1)
    helps = ((solo > 0).double() * weight[..., None]).sum(1)
    metrics = {
        "heads": summary(
            {
                "group": (group * weight).sum(1), "group_positive": ((group > 0) * weight).sum(1),
                "solo_positive_best": helps.amax(1), "solo_positive_worst": helps.amin(1),
                "pushed_by_all_heads": inside.shared_pushes(pushed), "accuracy": accuracy,
            }
        )
    }  # fmt: skip
    N = model.config.N
    arrays = {
        "solo": solo[0].T.reshape(-1, N, N), "group": group[0].view(N, N),
        "logits": pushed[0],
        "coordinates": inside.pushes(coordinates, answer, weight)[0],
        "gram": (double.U @ double.U.transpose(1, 2))[0],
        "possible": (weight[0] > 0).view(N, N),
    }  # fmt: skip
    return metrics, {name: value.detach() for name, value in arrays.items()}


def superposition(model: AttentionMemory, low: LowRank, laws: Sequence[Law]) -> Found:
    """M7: inner products of the vectors, and their cosines with the right unembedding."""
    double = in_float64(model)
    with torch.no_grad():
        stream = exact.stream(double).flatten(2).permute(1, 2, 0)
    answer = torch.stack([law.conditional.argmax(1) for law in laws])
    metrics: Metrics = {}
    arrays: dict[str, Tensor] = {}
    cosines = []
    for name, e, U in (
        ("low_rank", low.e.detach(), low.U.detach()),
        ("attention", stream, double.U.detach()),
    ):
        found = [geometry.answer_cosines(*one) for one in zip(e, U, answer, strict=True)]
        lost = [divergence(x @ u.T, law) for x, u, law in zip(e, U, laws, strict=True)]
        metrics[name] = summary(
            {"cosine": torch.stack([c.median() for c in found]), "divergence": torch.stack(lost)}
        )
        order = answer[0].argsort(stable=True)  # contexts of one answer side by side
        arrays[f"{name}_U"] = geometry.gram(U[0])
        arrays[f"{name}_e"] = geometry.gram(e[0][order])
        cosines.append(found[0])
    at = (double.E[0] + double.P[0][:, None]).flatten(0, 1).detach()
    return metrics, arrays | {"cosines": torch.stack(cosines), "inputs": geometry.gram(at)}


def geometry_table(
    ranked: Mapping[str, Tensor], low: LowRank, draws: int, generator: torch.Generator
) -> tuple[Metrics, pd.DataFrame]:
    """M8: distances of U's columns from the true directions, over ranks, aligned or not."""
    d, rows = low.config.d, []
    for k, law in enumerate(datasets.dense_laws(ranked)):
        U, true = low.U[k].detach(), geometry.log_probabilities(law).T
        rows.append(
            {
                "rank": int(ranked["rank"][k]),
                "alignment": "aligned" if bool(ranked["axis_aligned"][k]) else "unaligned",
                "seed": int(ranked["seeds"][k]),
                "distance": geometry.projector_distance(U, true, d),
                "distance_to_W": geometry.projector_distance(U, ranked["W"][k], d),
                "random": geometry.random_distance(true, d, draws, generator),
            }
        )
    table = pd.DataFrame(rows)
    metrics: Metrics = {}
    for (alignment, rank), own in table.groupby(["alignment", "rank"]):
        metrics[f"{alignment}_rank{rank}"] = summary(
            {n: torch.tensor(own[n].to_numpy()) for n in ("distance", "distance_to_W", "random")}
        )
    return metrics, table


def theory_table(laws: Sequence[Law], low: LowRank) -> tuple[Metrics, pd.DataFrame]:
    """M9: divergences of trained, second-order and truncated logits; cosines of the vectors.

    ``cosine_transposed`` repeats the notebook's comparison of tables in different row orders.
    """
    rows = []
    for k, law in enumerate(laws):
        U, e = low.U[k].detach(), low.e[k].detach()
        w = geometry.second_order_vectors(law, U)
        rows.append(
            {
                "seed": k,
                "trained": float(divergence(e @ U.T, law)),
                "second_order": float(divergence(w @ U.T, law)),
                "truncated": float(divergence(geometry.truncated_logits(law, low.config.d), law)),
                "uniform": float(divergence(torch.zeros_like(law.conditional), law)),
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
