"""P1-P7: every point of the sweeps beside the published one and the bounds, and the verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from pipeline.core.stats.intervals import summary
from pipeline.labs.memory.measure import fits
from pipeline.labs.memory.train.runs import TRAIN

Metrics = dict[str, Any]
SIZES = ["N", "d", "d_head", "n_heads"]
MODEL = [
    "experiment", "model", "engine", "eval_distribution", *SIZES, "mlp_width", "n_layers",
    "parameters",
]  # fmt: skip
# The published tables, and the experiment that the points of each are of.
PUBLISHED = {**{f"exp1_d{d}": "P1" for d in range(3, 14)}, "exp2": "P2", "exp3": "P3"}
AGAIN = "P1_published"  # P1 by the published protocol, run again


@dataclass(frozen=True)
class PublishedAccuracyRow:
    """A point of the published tables, in their own words; ``para`` is the number of heads."""

    acc: float
    para: int
    N: int
    d: int
    d_head: int


@dataclass(frozen=True)
class PointRow:
    """A model over its seeds: medians with their intervals, the mean, and what to hold it against.

    ``bound`` and ``earlier_bound`` are accuracies that such a model can reach at least.
    """

    experiment: str
    model: str
    engine: str
    eval_distribution: str
    N: int
    d: int
    d_head: int
    n_heads: int
    mlp_width: int
    n_layers: int
    parameters: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    n: int
    divergence: float
    divergence_low: float
    divergence_high: float
    mean_accuracy: float
    published: float | None
    bound: float
    earlier_bound: float


def joined(runs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Join the tables of the training stages, by their names; the published protocol's last."""
    again = runs["published"].assign(experiment=AGAIN)
    others = [table for name, table in runs.items() if name != "published"]
    return pd.concat([table for table in (*others, again) if len(table)], ignore_index=True)


def points(runs: pd.DataFrame, published: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a :class:`PointRow` for each experiment, model and distribution of evaluation.

    ``published`` holds the published tables by the names of their files.
    """
    rows = []
    for key, seeds in runs.groupby(MODEL, sort=False):
        row = dict(zip(MODEL, key, strict=True))
        row |= summary({"accuracy": tensor(seeds.accuracy), "divergence": tensor(seeds.divergence)})
        rows.append(row | {"mean_accuracy": float(seeds.accuracy.mean())})
    table = pd.DataFrame(rows)
    references = pd.concat(each.assign(of=PUBLISHED[name]) for name, each in published.items())
    references = references.rename(columns={"acc": "published", "para": "n_heads"})
    table["of"] = table.experiment.replace(AGAIN, "P1")
    keys = ["of", *SIZES]  # two experiments share a size, with a result each
    table = table.merge(references[["published", *keys]], on=keys, how="left").drop(columns="of")
    H, d, d_head = (torch.tensor(table[name].to_numpy()) for name in ("n_heads", "d", "d_head"))
    bounds = torch.stack(
        [
            fits.lower_bounds(int(N), *(x[k : k + 1] for x in (H, d, d_head)))[:, 0]
            for k, N in enumerate(table.N)
        ]
    )
    table["bound"], table["earlier_bound"] = bounds[:, 0].numpy(), bounds[:, 1].numpy()
    return table


def over_population(runs: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """Return an experiment's rows that are no evaluation on samples."""
    return runs[(runs.experiment == experiment) & (runs.eval_distribution != TRAIN)]


def by_point(table: pd.DataFrame) -> Metrics:
    """Return the metrics of every point, {experiment: {model: quantities}}."""
    metrics: Metrics = {}
    for (experiment, model), evaluations in table.groupby(["experiment", "model"], sort=False):
        quantities: Metrics = {}
        for row in evaluations.to_dict("records"):
            name = "accuracy_train" if row["eval_distribution"] == TRAIN else "accuracy"
            quantities |= {
                name: row["accuracy"],
                f"{name}_low": row["accuracy_low"],
                f"{name}_high": row["accuracy_high"],
                "n": row["n"],
            }
        metrics.setdefault(str(experiment), {})[str(model)] = quantities
    return metrics


def tensor(column: "pd.Series[Any]") -> Tensor:
    """Return a column as a float64 tensor."""
    return torch.tensor(column.to_numpy(), dtype=torch.float64)
