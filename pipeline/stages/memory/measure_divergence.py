"""M1-M4: learning curves, freezing, scaling table and ablation beside their baselines."""

import math
from pathlib import Path

import pandas as pd

from pipeline.config import StageParams
from pipeline.core.stats.intervals import summary, table
from pipeline.labs.memory import tables
from pipeline.labs.memory.comparison import Metrics, tensor
from pipeline.runtime import artifacts
from pipeline.stages.memory._runs import read_power

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """Nothing to set."""


def run(params: Params, inputs: Path, out: Path) -> Metrics:  # noqa: ARG001
    """Write table.csv, baselines.csv and scaling.csv; return the metrics M1.*, ..., M4.*."""
    low = artifacts.read_csv(inputs / "memory_low_rank" / "table.csv", ["laws", "law", "loss"])
    curves = artifacts.read_csv(inputs / "memory_train_curves" / "table.csv", ["model", "loss"])
    variants = artifacts.read_csv(inputs / "memory_train_variants" / "table.csv", ["model", "loss"])
    metrics: Metrics = {"M1": tables.conditions(curves)}
    for experiment in ("M2", "M4"):
        metrics[experiment] = tables.conditions(variants[variants.experiment == experiment])
    artifacts.write_csv(out / "table.csv", table(metrics))
    baselines = []
    for name in ("certain", "uncertain"):
        power = read_power(inputs, f"curves_{name}")
        uniform = [math.log(power.N) - float(law.entropy()) for law in power.laws()]
        best = low[low.laws == f"curves_{name}"].loss
        metrics["M1"][f"{name}_baselines"] = summary(
            {"uniform": tensor(pd.Series(uniform)), "low_rank": tensor(best)}
        )
        entropy = math.log(power.N) - uniform[0]  # the same for every seed: permutations of one law
        baselines.append(
            {
                "laws": name,
                "N": power.N,
                "uniform": uniform[0],
                "entropy": entropy,
                "low_rank": float(best.median()),
            }
        )
    artifacts.write_csv(out / "baselines.csv", pd.DataFrame(baselines))
    published = artifacts.read_csv(
        inputs / "reference" / "divergence_scaling" / "power_law.csv", ["alpha_1", "best_loss"]
    )
    trained = artifacts.read_csv(inputs / "memory_train_table" / "table.csv", ["law", "loss"])
    joined = tables.low_rank_table(trained, low[low.laws == "scaling"], published)
    artifacts.write_csv(out / "scaling.csv", joined)
    metrics["M3"] = {"all": tables.low_rank_metrics(joined)}
    return metrics
