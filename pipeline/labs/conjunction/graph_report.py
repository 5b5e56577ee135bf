"""C6, C7: what the figures and the metrics take of the attention model of the rule task."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from pipeline.core.stats.intervals import Summary, proportion, summary
from pipeline.labs.conjunction import graph
from pipeline.labs.conjunction.datasets import DataSets
from pipeline.labs.conjunction.models import BinaryAttention, encode
from pipeline.labs.conjunction.task import label


@dataclass(frozen=True, kw_only=True)
class Report:
    """Arrays of one example seed, quantities over seeds, and the metrics of C7 by method."""

    weights: dict[str, Tensor]
    graph: dict[str, Tensor | NDArray[Any]]
    focus: dict[str, Float[Tensor, " member"]]
    metrics: dict[str, Summary]


def report(model: BinaryAttention, data: DataSets, solved: Bool[Tensor, " member"]) -> Report:
    """Analyse every member on its validation set; the example is the first that is solved."""
    bits, targets = data.valid, data.targets
    labels = label(bits, targets)
    with torch.no_grad():
        found = graph.influences(model, bits)
        graphs = graph.graphs(found, bits, labels)
        logits = model(encode(model, bits))
    example = int(solved.int().argmax())
    weights = found["rule_query"]
    by_rule = [graph.weight_statistics(weights, bits[..., -1] == rule) for rule in (0, 1)]
    error = (found["attention_value"].sum(-1) - logits).abs().amax(1)
    return Report(
        weights={
            "weights": weights[example],
            "labels": labels[example],
            "rules": bits[example, :, -1],
            "statistics": torch.stack(by_rule)[:, :, example],
            "targets": targets[example],
        },
        graph={
            "methods": np.array(graph.METHODS),
            "influence": torch.stack([graphs[m][:, example] for m in graph.METHODS]),
            "targets": targets[example],
            "hits": torch.stack([graph.hits(graphs[m], targets) for m in graph.METHODS]),
        },
        focus=focus(by_rule, targets),
        metrics={
            method: hit_rates(graph.hits(graphs[method], targets), solved)
            for method in graph.METHODS
        }
        | {"attention_value_sum": summary({"error": error}) | {"error_max": float(error.max())}},
    )


def hit_rates(hits: Bool[Tensor, "rule member"], solved: Bool[Tensor, " member"]) -> Summary:
    """Summarise hits over all seeds and rules, and over the seeds that solve the task."""
    found = proportion("hit", hits.flatten())
    if bool(solved.any()):
        among = proportion("hit_solved", hits[:, solved].flatten())
        found |= {name: value for name, value in among.items() if name != "n"}
        found["n_solved"] = among["n"]
    return found


def focus(
    by_rule: list[Float[Tensor, "2 member position"]], targets: Tensor
) -> dict[str, Float[Tensor, " member"]]:
    """Return how much weight the rule's query gives, in sum, to each kind of position."""
    mean = torch.stack([statistics[0] for statistics in by_rule], dim=1)
    per_set = mean[:, :, None].expand(-1, -1, 2, -1)
    sets = targets[:, None].expand(-1, 2, -1, -1)
    sums = per_set.gather(-1, sets).sum(-1)
    active = sums.diagonal(dim1=1, dim2=2).mean(-1)
    inactive = sums.flip(-1).diagonal(dim1=1, dim2=2).mean(-1)
    rule = mean[..., -1].mean(-1)
    return {
        "weight_active": active,
        "weight_inactive": inactive,
        "weight_rule": rule,
        "weight_others": 1 - active - inactive - rule,
    }
