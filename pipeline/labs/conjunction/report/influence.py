"""C6, C7: what the figures and the results take of the attention model of the rule task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from scipy.special import betaincinv
from torch import Tensor

from pipeline.core.stats.intervals import CONFIDENCE, Summary, proportion, summary
from pipeline.labs.conjunction.data.datasets import DataSets
from pipeline.labs.conjunction.data.task import Targets, label
from pipeline.labs.conjunction.measure import influence
from pipeline.labs.conjunction.measure.influence import Influence
from pipeline.labs.conjunction.models.attention import BinaryAttention
from pipeline.labs.conjunction.models.encoding import encode
from pipeline.labs.conjunction.report.median_seed import median_member

ROLES = ("active", "inactive", "rule", "others")  # of a position, for the weights of one rule


@dataclass(frozen=True, kw_only=True)
class AttentionWeights:
    """What weights.npz holds: the rule's query in one seed, and over all of them.

    ``seed`` is the one with the median weight on the active targets; ``statistics`` are its mean
    and standard deviation over the samples of each rule; ``shares`` are the medians over ``seeds``
    seeds, with their intervals (median, low, high), of the weight on each role of position.
    """

    weights: Float64[np.ndarray, "sample position"]
    labels: Float64[np.ndarray, " sample"]
    rules: Float64[np.ndarray, " sample"]
    statistics: Float64[np.ndarray, "rule 2 position"]
    targets: Int64[np.ndarray, "rule target"]
    seed: Int64[np.ndarray, ""]
    roles: tuple[str, ...]
    shares: Float64[np.ndarray, "roles 3"]
    seeds: Int64[np.ndarray, ""]


@dataclass(frozen=True, kw_only=True)
class InfluenceGraphs:
    """What influence.npz holds: each method's influence of positions in one seed, hits in all.

    ``seed`` is the one with the median number of hits over methods and rules.
    """

    methods: tuple[str, ...]
    influence: Float64[np.ndarray, "methods rule position"]
    targets: Int64[np.ndarray, "rule target"]
    seed: Int64[np.ndarray, ""]
    hits: Bool[np.ndarray, "methods rule seeds"]

    @property
    def hit_counts(self) -> dict[str, int]:
        """How many of the rules and seeds each method hits."""
        return dict(zip(self.methods, self.hits.sum((1, 2)).tolist(), strict=True))

    @property
    def cases(self) -> int:
        """Number of rules and seeds."""
        return self.hits[0].size


@dataclass(frozen=True, kw_only=True)
class Report:
    """Both files, and the results of C6 and of C7 by method."""

    weights: AttentionWeights
    graphs: InfluenceGraphs
    weight_by_role: Summary
    by_method: dict[str, Summary]


def report(
    model: BinaryAttention,
    data: DataSets,
    seeds: Sequence[int],
    solved: Bool[Tensor, " member"],
) -> Report:
    """Analyse every member on its validation set."""
    bits, targets = data.valid, data.targets
    labels = label(bits, targets)
    with torch.no_grad():
        influences = influence.influences(model, bits)
        graphs = influence.graphs(influences, bits, labels)
        logits = model(encode(model, bits))
    hits = {name: influence.hits(graph, targets) for name, graph in graphs.items()}
    gap = (influences["attention_value"].sum(-1) - logits).abs().amax(1)
    weights, by_role = weights_file(influences["rule_query"], labels, data, seeds)
    sums = {"abs_difference": gap}
    return Report(
        weights=weights,
        graphs=graphs_file(graphs, hits, targets, seeds),
        weight_by_role=by_role,
        by_method={name: hit_rates(hits[name], solved) for name in influence.METHODS}
        | {"attention_value_sum": summary(sums) | {"abs_difference_max": float(gap.max())}},
    )


def weights_file(
    weights: Influence, labels: Float[Tensor, "member sample"], data: DataSets, seeds: Sequence[int]
) -> tuple[AttentionWeights, Summary]:
    """Return C6's file, and its results: the weight on each role of position."""
    bits = data.valid
    by_rule = [influence.weight_statistics(weights, bits[..., -1] == rule) for rule in (0, 1)]
    by_role = weight_by_role(by_rule, data.targets)
    shares = summary(by_role)
    member = median_member(by_role["weight_active"])
    file = AttentionWeights(
        weights=weights[member].numpy(),
        labels=labels[member].numpy(),
        rules=bits[member, :, -1].numpy(),
        statistics=torch.stack(by_rule)[:, :, member].numpy(),
        targets=data.targets[member].numpy(),
        seed=np.array(seeds[member]),
        roles=ROLES,
        shares=np.array(
            [[shares[f"weight_{role}{end}"] for end in ("", "_low", "_high")] for role in ROLES]
        ),
        seeds=np.array(len(seeds)),
    )
    return file, shares


def graphs_file(
    graphs: Mapping[str, Float[Tensor, "rule member position"]],
    hits: Mapping[str, Bool[Tensor, "rule member"]],
    targets: Targets,
    seeds: Sequence[int],
) -> InfluenceGraphs:
    """Return C7's file."""
    methods = influence.METHODS
    all_hits = torch.stack([hits[name] for name in methods])
    member = median_member(all_hits.sum((0, 1)).double())
    return InfluenceGraphs(
        methods=methods,
        influence=torch.stack([graphs[name][:, member] for name in methods]).numpy(),
        targets=targets[member].numpy(),
        seed=np.array(seeds[member]),
        hits=all_hits.numpy(),
    )


def hit_rates(hits: Bool[Tensor, "rule member"], solved: Bool[Tensor, " member"]) -> Summary:
    """Summarise hits over all seeds and rules, and over the seeds that solve the task.

    ``hit`` is the share of graphs, with the interval of as many cases as there are *models*: the
    graphs of a model's two rules are readings of one training. ``hit_both`` is the share of models
    whose graphs are right under every rule.
    """
    rates = share_by_model("hit", hits) | proportion("hit_both", hits.all(0))
    if bool(solved.any()):
        among = share_by_model("hit_solved", hits[:, solved])
        rates |= {name: value for name, value in among.items() if name != "n"}
        rates["n_solved"] = among["n"]
    return rates


def share_by_model(
    name: str, hits: Bool[Tensor, "rule member"], confidence: float = CONFIDENCE
) -> Summary:
    """Summarise the share of hits, over rules and members, with an interval for the members.

    Clopper and Pearson's interval with members in place of cases, and the members' sum of shares in
    place of the count: what holds if the rules of one member say the same, the least that they can
    tell; it is conservative if they say more.
    """
    n = hits.shape[1]
    count, tail = float(hits.double().mean(0).sum()), (1 - confidence) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, n - count + 1, tail))
    high = 1.0 if count == n else float(betaincinv(count + 1, n - count, 1 - tail))
    return {name: count / n, f"{name}_low": low, f"{name}_high": high, "n": n}


def weight_by_role(
    by_rule: Sequence[Float[Tensor, "2 member position"]], targets: Targets
) -> dict[str, Float[Tensor, " member"]]:
    """Return how much weight the rule's query gives, in sum, to each role of position."""
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
