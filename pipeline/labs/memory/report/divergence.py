"""M1-M4 measured: medians beside the uniform and the low-rank baselines."""

from typing import Any

import pandas as pd

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.comparison import Metrics, tensor

LAW = ["alpha_1", "alpha_2"]


def conditions(table: pd.DataFrame) -> Metrics:
    """Return {model: divergence and both accuracies} of one experiment's table."""
    metrics: Metrics = {}
    for model, own in table.groupby("model", sort=False):
        sampled = own.yardstick == "sampled"
        metrics[str(model)] = summary(
            {
                "divergence": tensor(own[~sampled].loss),
                "accuracy": tensor(own[~sampled].acc),
                "accuracy_sampled": tensor(own[sampled].acc),
            }
        )
    return metrics


def low_rank_table(
    table: pd.DataFrame, optimum: pd.DataFrame, published: pd.DataFrame
) -> pd.DataFrame:
    """M3: put the low-rank optimum of each law, and the published row, beside each model's loss.

    Laws are numbered in the order of the published rows' alphas.
    """
    own = table.merge(
        optimum[["law", "seed", "loss"]].rename(columns={"loss": "best_loss"}), on=["law", "seed"]
    )
    known = published.rename(
        columns={n: f"published_{n}" for n in ("loss", "unif_loss", "best_loss")}
    )
    known["law_key"] = _key(known)
    own["law_key"] = _key(own)
    keys = ["law_key", "N", "d"]
    columns = [*keys, "published_loss", "published_unif_loss", "published_best_loss"]
    return own.merge(known[columns], on=keys, how="left").drop(columns="law_key")


def _key(table: pd.DataFrame) -> "pd.Series[Any]":
    # Alphas of the published file carry rounding noise in their last digit.
    return table.alpha_1.round(9).astype(str) + " " + table.alpha_2.round(9).astype(str)


def low_rank_metrics(joined: pd.DataFrame) -> Metrics:
    """Return M3's verdicts over the published laws: means and the worst ratio; {} without any."""
    own = joined[joined.published_loss.notna()]
    if own.empty:
        return {}
    ratio = own.best_loss / own.published_best_loss
    return {
        "laws": int(own.law.nunique()),
        "best_loss": float(own.best_loss.mean()),
        "published_best_loss": float(own.published_best_loss.mean()),
        "worst_ratio_to_published": float(ratio.max()),
        "loss": float(own.loss.mean()),
        "published_loss": float(own.published_loss.mean()),
        "unif_loss": float(own.unif_loss.mean()),
        "least_gap_to_best": float((own.loss - own.best_loss).min()),
        "n": int(own.seed.nunique()),
    }
