"""M1-M4: medians beside the uniform and the low-rank baselines."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.data.distribution import Distribution
from pipeline.labs.memory.data.draw import PowerDistributions
from pipeline.labs.memory.models.attention import FreezeConfig
from pipeline.labs.memory.report.points import Metrics, tensor
from pipeline.labs.memory.train.divergence_table import DivergenceRow
from pipeline.labs.memory.train.runs import TRAIN


@dataclass(frozen=True)
class PublishedDivergenceRow:
    """A row of the published scaling table, in its own words."""

    alpha_1: float
    alpha_2: float
    N: int
    d: int
    loss: float
    unif_loss: float
    best_loss: float


@dataclass(frozen=True)
class ComparedRow(DivergenceRow):
    """A model of M3's table beside its low-rank optimum and the published row, if there is one."""

    low_rank_divergence: float
    published_divergence: float | None
    published_uniform_divergence: float | None
    published_low_rank_divergence: float | None


@dataclass(frozen=True)
class BaselineRow:
    """What M1's losses lie between: nats of the uniform prediction and of the low-rank optimum.

    ``uniform`` and ``entropy`` are the same for every seed: its distributions are permutations.
    """

    distributions: str
    N: int
    uniform: float
    entropy: float
    low_rank: float


@dataclass(frozen=True)
class ScalingLineRow:
    """M3's models of one size and distribution over their seeds, and the published row."""

    alpha_1: float
    alpha_2: float
    N: int
    d: int
    n_heads: int
    n_layers: int
    mlp_width: int
    divergence: float
    divergence_low: float
    divergence_high: float
    low_rank_divergence: float
    low_rank_divergence_low: float
    low_rank_divergence_high: float
    uniform_divergence: float
    uniform_divergence_low: float
    uniform_divergence_high: float
    n: int
    published_divergence: float | None
    published_uniform_divergence: float | None
    published_low_rank_divergence: float | None


# M2's rule: a part may be frozen if the accuracy keeps this in the whole interval.
FREE = 0.99
ALONE = "alone"
PARTS = tuple(FreezeConfig.model_fields)
MODEL = ["alpha_1", "alpha_2", "N", "d", "n_heads", "n_layers", "mlp_width"]
LOSSES = ("divergence", "low_rank_divergence", "uniform_divergence")


def conditions(runs: pd.DataFrame) -> Metrics:
    """Return {model: divergence and both accuracies} of one experiment's runs."""
    metrics: Metrics = {}
    for model, rows in runs.groupby("model", sort=False):
        sampled = rows.eval_distribution == TRAIN
        metrics[str(model)] = summary(
            {
                "divergence": tensor(rows[~sampled].divergence),
                "accuracy": tensor(rows[~sampled].accuracy),
                "accuracy_train": tensor(rows[sampled].accuracy),
            }
        )
    return metrics


def frozen_alone(measured: Metrics) -> Metrics:
    """M2: return how many of the parts that are frozen alone cost nothing, and the worst of them.

    Those are the conditions that bear a part's name; {} if there are none.
    """
    alone = [measured[part] for part in PARTS if part in measured]
    if not alone:
        return {}
    return {
        "parts": len(alone),
        "free": sum(each["accuracy_low"] >= FREE for each in alone),
        "worst_accuracy_low": min(each["accuracy_low"] for each in alone),
        "worst_divergence_high": max(each["divergence_high"] for each in alone),
        "n": min(each["n"] for each in alone),
    }


def shares_left(
    runs: pd.DataFrame, drawn: Mapping[str, PowerDistributions], low_rank: pd.DataFrame
) -> Metrics:
    """M1: return what is left of the way from the uniform prediction to the low-rank optimum.

    Over seeds, {model: share}: 1 at the uniform prediction, 0 at the optimum.
    """
    metrics: Metrics = {}
    exact = runs[runs.eval_distribution != TRAIN]
    for name, entry in drawn.items():
        uniform = dict(zip(entry.seeds.tolist(), map(_uniform, entry.distributions()), strict=True))
        of_entry = low_rank[low_rank.distributions == f"curves_{name}"]
        best = of_entry.set_index("seed").divergence
        for model, rows in exact.groupby("model", sort=False):
            if not str(model).startswith(f"{name}_"):
                continue
            top, floor = rows.seed.map(uniform), rows.seed.map(best)
            share = (rows.divergence - floor) / (top - floor)
            metrics[str(model)] = summary({"share_left": tensor(share)})
    return metrics


def _uniform(distribution: Distribution) -> float:
    return math.log(distribution.N) - float(distribution.entropy())


def baselines(
    drawn: Mapping[str, PowerDistributions], low_rank: pd.DataFrame
) -> tuple[Metrics, pd.DataFrame]:
    """M1: return the baselines of each entry as metrics over seeds and as :class:`BaselineRow`."""
    metrics: Metrics = {}
    rows = []
    for name, entry in drawn.items():
        uniform = [_uniform(one) for one in entry.distributions()]
        best = low_rank[low_rank.distributions == f"curves_{name}"].divergence
        metrics[f"{name}_baselines"] = summary(
            {"uniform": tensor(pd.Series(uniform)), "low_rank": tensor(best)}
        )
        rows.append(
            {
                "distributions": name, "N": entry.N, "uniform": uniform[0],
                "entropy": math.log(entry.N) - uniform[0], "low_rank": float(best.median()),
            }
        )  # fmt: skip
    return metrics, pd.DataFrame(rows)


def compared(
    trained: pd.DataFrame, low_rank: pd.DataFrame, published: pd.DataFrame
) -> pd.DataFrame:
    """M3: return a :class:`ComparedRow` for each model.

    Distributions are numbered in the order of the published rows' alphas.
    """
    optimum = low_rank[["number", "seed", "divergence"]].rename(
        columns={"number": "distribution", "divergence": "low_rank_divergence"}
    )
    table = trained.merge(optimum, on=["distribution", "seed"])
    known = published.rename(
        columns={
            "loss": "published_divergence",
            "unif_loss": "published_uniform_divergence",
            "best_loss": "published_low_rank_divergence",
        }
    )
    known["key"], table["key"] = _key(known), _key(table)
    keys = ["key", "N", "d"]
    columns = [*keys, *(name for name in known if str(name).startswith("published_"))]
    return table.merge(known[columns], on=keys, how="left").drop(columns="key")


def lines(table: pd.DataFrame) -> pd.DataFrame:
    """M3: return a :class:`ScalingLineRow` for each model and distribution of compared rows."""
    published = [str(name) for name in table if str(name).startswith("published_")]
    rows = []
    for key, seeds in table.groupby(MODEL):
        over_seeds = summary({name: tensor(seeds[name]) for name in LOSSES})
        known = {name: seeds[name].iloc[0] for name in published}
        rows.append(dict(zip(MODEL, key, strict=True)) | over_seeds | known)
    return pd.DataFrame(rows)


def _key(table: pd.DataFrame) -> "pd.Series[str]":
    # Alphas of the published file carry rounding noise in their last digit.
    return table.alpha_1.round(9).astype(str) + " " + table.alpha_2.round(9).astype(str)


def against_published(table: pd.DataFrame) -> Metrics:
    """Return M3's verdicts over the published rows: means and the worst ratio; {} without any."""
    rows = table[table.published_divergence.notna()]
    if rows.empty:
        return {}
    ratio = rows.low_rank_divergence / rows.published_low_rank_divergence
    below = rows.published_divergence < rows.published_low_rank_divergence
    return {
        "distributions": int(rows.distribution.nunique()),
        "low_rank_divergence": float(rows.low_rank_divergence.mean()),
        "published_low_rank_divergence": float(rows.published_low_rank_divergence.mean()),
        "worst_ratio_to_published": float(ratio.max()),
        "divergence": float(rows.divergence.mean()),
        "published_divergence": float(rows.published_divergence.mean()),
        "uniform_divergence": float(rows.uniform_divergence.mean()),
        "least_gap_to_low_rank": float((rows.divergence - rows.low_rank_divergence).min()),
        # A model below it proves that a "best" loss is none.
        "published_below_published_low_rank": int(rows[below].distribution.nunique()),
        "n": int(rows.seed.nunique()),
    }
