"""P1-P3 against the published tables, point by point: equal means may hide that points differ."""

from typing import Any

import pandas as pd

from pipeline.core.stats.intervals import mean_summary
from pipeline.labs.memory.report.points import tensor
from pipeline.labs.memory.train.runs import TRAIN

Metrics = dict[str, Any]


def against_published(table: pd.DataFrame, experiment: str) -> Metrics:
    """Return an experiment's means over its published points, and how they differ; {} if none.

    The published accuracies are over the sampled contexts, and so is what is held against them one
    by one: ``points_within`` counts the published values inside the interval of our seeds.
    """
    rows = table[(table.experiment == experiment) & table.published.notna()]
    if rows.empty:
        return {}
    exact, sampled = rows[rows.eval_distribution != TRAIN], rows[rows.eval_distribution == TRAIN]
    gap = sampled.mean_accuracy - sampled.published
    above, below = (
        sampled.published > sampled.accuracy_high,
        sampled.published < sampled.accuracy_low,
    )
    return {
        "mean_accuracy": float(exact.mean_accuracy.mean()),
        "mean_accuracy_train": float(sampled.mean_accuracy.mean()),
        "published_mean": float(exact.published.mean()),
        "worst_gap_train": float(gap.min()),
        "largest_gap_train": float(gap.abs().max()),
        "mean_gap_size_train": float(gap.abs().mean()),
        "points": len(exact),
        "points_within": int((~above & ~below).sum()),
        "points_published_above": int(above.sum()),
        "points_published_below": int(below.sum()),
        "above_bound": float((exact.mean_accuracy >= exact.bound).mean()),
    }


def by_heads(table: pd.DataFrame, experiment: str) -> dict[str, Metrics]:
    """P1: return our accuracy less the published one for each number of heads, over the widths.

    A condition for each H: the mean over d, with Student's interval. {} below two widths.
    """
    rows = table[(table.experiment == experiment) & table.published.notna()]
    rows = rows[rows.eval_distribution == TRAIN]
    rows = rows.assign(gap=rows.mean_accuracy - rows.published)
    return {
        f"published_gap_h{H}": mean_summary({"gap_train": tensor(of_heads.gap)})
        for H, of_heads in rows.groupby("n_heads")
        if len(of_heads) > 1
    }
