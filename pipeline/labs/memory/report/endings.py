"""P5-P7: is training at its end, and what do memories of equal parameters hold there?

A sweep to the end of its training is trained twice from the start, with all its steps and with a
quarter of them. The rule, fixed before the trainings that it judges: a model is at its end if four
times the steps change its median accuracy by at most ``END``.
"""

from typing import Any

import pandas as pd

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.report.points import over_population, tensor
from pipeline.labs.memory.train.endings import QUARTER

Metrics = dict[str, Any]
END = 0.03  # in accuracy: what the published tables are to be met within


def endings(runs: pd.DataFrame, experiment: str) -> Metrics:
    """Return how many of a sweep's models are at the end of training; {} if it was not run twice.

    ``gained`` is accuracy after all steps less that after a quarter: the mean over the models of
    each seed, then over the seeds; ``most_gained`` is the largest median of a model.
    """
    keys = ["model", "seed"]
    late, early = (over_population(runs, name) for name in (experiment, experiment + QUARTER))
    both = late.merge(early[[*keys, "accuracy"]], on=keys, suffixes=("", "_early"))
    if both.empty:
        return {}
    both["gained"] = both.accuracy - both.accuracy_early
    by_model = both.groupby("model").gained.median()
    return {
        **summary({"gained": tensor(both.groupby("seed").gained.mean())}),
        "most_gained": float(by_model.max()),
        "most_lost": float(-by_model.min()),
        "at_the_end": int((by_model.abs() <= END).sum()),
        "models": len(by_model),
        "tolerance": END,
    }


def mlp_advantage(runs: pd.DataFrame, experiment: str) -> Metrics:
    """P5: return mean accuracies of both memories over their common points, and the advantage.

    ``mlp_ahead`` counts the points where every seed's MLP is ahead, ``attention_ahead`` those where
    every seed's attention is.
    """
    rows = over_population(runs, experiment)
    attention, mlp = rows[rows.mlp_width == 0], rows[rows.mlp_width > 0]
    paired = attention.merge(mlp, on=["d", "seed"], suffixes=("", "_mlp"))
    # The MLP of H "heads" has width 2 d (H - 1): that pairs it with H heads of attention.
    paired = paired[paired.mlp_width_mlp == 2 * paired.d * (paired.n_heads - 1)]
    if paired.empty:
        return {}
    paired = paired.assign(gap=paired.accuracy_mlp - paired.accuracy)
    means = paired.groupby("seed")[["accuracy", "accuracy_mlp", "gap"]].mean()
    ends = paired.groupby("model").gap.agg(["min", "max"])
    return {
        **summary(
            {
                "attention": tensor(means.accuracy),
                "mlp": tensor(means.accuracy_mlp),
                "mlp_advantage": tensor(means.gap),
            }
        ),
        "points": len(ends),
        "mlp_ahead": int((ends["min"] > 0).sum()),
        "attention_ahead": int((ends["max"] < 0).sum()),
    }


def depth_advantage(runs: pd.DataFrame, experiment: str) -> dict[str, Metrics]:
    """P7: return what several layers hold above one layer of as many heads in all, by model.

    L layers of H heads have exactly the parameters of one layer of L H heads. ``all`` is the mean
    over the models of each seed.
    """
    rows = over_population(runs, experiment)
    flat, deep = rows[rows.n_layers == 1], rows[rows.n_layers > 1]
    deep = deep.assign(n_heads=deep.n_heads * deep.n_layers)
    paired = deep.merge(flat, on=["N", "d", "n_heads", "seed"], suffixes=("", "_flat"))
    if paired.empty:
        return {}
    paired = paired.assign(gap=paired.accuracy - paired.accuracy_flat)
    by_model = {
        f"depth_{model}": summary({"depth_advantage": tensor(one.gap)})
        for model, one in paired.groupby("model")
    }
    over_models = tensor(paired.groupby("seed").gap.mean())
    return by_model | {"all": summary({"depth_advantage": over_models})}
