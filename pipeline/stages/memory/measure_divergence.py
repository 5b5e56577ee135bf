"""M1-M4: learning curves, freezing, scaling table and ablation beside their baselines."""

from pathlib import Path

from pipeline.config import StageParams
from pipeline.core.stats.intervals import table
from pipeline.labs.memory.report import divergence as report
from pipeline.labs.memory.report.points import Metrics
from pipeline.labs.memory.train.divergence_table import DivergenceRow
from pipeline.labs.memory.train.low_rank import LowRankRow
from pipeline.labs.memory.train.runs import RunRow
from pipeline.runtime.formats import artifacts, records
from pipeline.stages.memory._runs import read_power

HEADLINE = (
    "M1.uncertain_divergence.divergence",
    "M1.uncertain_baselines.low_rank",
    "M3.all.worst_ratio_to_published",
    "M3.all.least_gap_to_low_rank",
)


class Params(StageParams):
    """Nothing to set."""


def run(params: Params, inputs: Path, out: Path) -> Metrics:  # noqa: ARG001
    """Write table.csv, baselines.csv and scaling.csv; return the results M1.*, ..., M4.*."""
    low_rank = records.read_table(inputs / "memory_train_low_rank" / "table.csv", LowRankRow)
    curves = records.read_table(inputs / "memory_train_curves" / "table.csv", RunRow)
    variants = records.read_table(inputs / "memory_train_variants" / "table.csv", RunRow)
    metrics: Metrics = {"M1": report.conditions(curves)}
    for experiment in ("M2", "M4"):
        metrics[experiment] = report.conditions(variants[variants.experiment == experiment])
    artifacts.write_csv(out / "table.csv", table(metrics))
    drawn = {name: read_power(inputs, f"curves_{name}") for name in ("certain", "uncertain")}
    over_seeds, baselines = report.baselines(drawn, low_rank)
    metrics["M1"] |= over_seeds
    records.write_table(out / "baselines.csv", baselines, report.BaselineRow)
    file = inputs / "reference" / "divergence_scaling" / "power_law.csv"
    published = records.read_table(file, report.PublishedDivergenceRow)
    trained = records.read_table(inputs / "memory_train_table" / "table.csv", DivergenceRow)
    optima = low_rank[low_rank.distributions == "scaling"]
    compared = report.compared(trained, optima, published)
    records.write_table(out / "scaling.csv", compared, report.ComparedRow)
    metrics["M3"] = {"all": report.against_published(compared)}
    return metrics
