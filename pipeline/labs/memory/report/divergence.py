"""M1-M4: medians beside the uniform and the low-rank baselines."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.data.draw import PowerDistributions
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


def baselines(
    drawn: Mapping[str, PowerDistributions], low_rank: pd.DataFrame
) -> tuple[Metrics, pd.DataFrame]:
    """M1: return the baselines of each entry as metrics over seeds and as :class:`BaselineRow`."""
    metrics: Metrics = {}
    rows = []
    for name, entry in drawn.items():
        uniform = [math.log(entry.N) - float(one.entropy()) for one in entry.distributions()]
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


def _key(table: pd.DataFrame) -> "pd.Series[str]":
    # Alphas of the published file carry rounding noise in their last digit.
    return table.alpha_1.round(9).astype(str) + " " + table.alpha_2.round(9).astype(str)


def against_published(table: pd.DataFrame) -> Metrics:
    """Return M3's verdicts over the published rows: means and the worst ratio; {} without any."""
    rows = table[table.published_divergence.notna()]
    if rows.empty:
        return {}
    ratio = rows.low_rank_divergence / rows.published_low_rank_divergence
    return {
        "distributions": int(rows.distribution.nunique()),
        "low_rank_divergence": float(rows.low_rank_divergence.mean()),
        "published_low_rank_divergence": float(rows.published_low_rank_divergence.mean()),
        "worst_ratio_to_published": float(ratio.max()),
        "divergence": float(rows.divergence.mean()),
        "published_divergence": float(rows.published_divergence.mean()),
        "uniform_divergence": float(rows.uniform_divergence.mean()),
        "least_gap_to_low_rank": float((rows.divergence - rows.low_rank_divergence).min()),
        "n": int(rows.seed.nunique()),
    }
