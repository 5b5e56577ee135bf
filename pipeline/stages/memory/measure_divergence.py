"""M1-M4: learning curves, freezing, scaling table, sizes and ablation beside their baselines."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import table
from pipeline.labs.memory.report import divergence as report
from pipeline.labs.memory.report import sizes as size_report
from pipeline.labs.memory.report.points import Metrics
from pipeline.labs.memory.train.divergence_table import DivergenceRow
from pipeline.labs.memory.train.low_rank import LowRankRow
from pipeline.labs.memory.train.runs import RunRow
from pipeline.labs.memory.train.sizes import ENTRIES, SizesConfig
from pipeline.runtime.formats import artifacts, records
from pipeline.stages.memory._runs import read_power

HEADLINE = (
    "M1.uncertain_divergence.divergence",
    "M1.uncertain_baselines.low_rank",
    "M3.all.worst_ratio_to_published",
    "M3.all.least_gap_to_low_rank",
)


class Params(StageParams):
    """The base of the sizes' axes."""

    sizes: SizesConfig = Field(alias="memory.train_sizes")


def run(params: Params, inputs: Path, out: Path) -> Metrics:
    """Write the tables that the figures draw; return the results M1.*, ..., M4.*."""
    low_rank = records.read_table(inputs / "memory_train_low_rank" / "table.csv", LowRankRow)
    runs = {
        name: records.read_table(inputs / f"memory_train_{name}" / "table.csv", RunRow)
        for name in ("curves", "variants", "sizes")
    }
    metrics: Metrics = {"M1": report.conditions(runs["curves"])}
    for experiment in ("M2", "M4"):
        of_experiment = runs["variants"][runs["variants"].experiment == experiment]
        metrics[experiment] = report.conditions(of_experiment)
    artifacts.write_csv(out / "table.csv", table(metrics))
    metrics["M2"][report.ALONE] = report.frozen_alone(metrics["M2"])
    drawn = {name: read_power(inputs, f"curves_{name}") for name in ("certain", "uncertain")}
    for model, share in report.shares_left(runs["curves"], drawn, low_rank).items():
        metrics["M1"][model] |= share
    over_seeds, baselines = report.baselines(drawn, low_rank)
    metrics["M1"] |= over_seeds
    records.write_table(out / "baselines.csv", baselines, report.BaselineRow)
    compared = scaling(inputs, low_rank[low_rank.distributions == "scaling"])
    records.write_table(out / "scaling.csv", compared, report.ComparedRow)
    records.write_table(out / "scaling_lines.csv", report.lines(compared), report.ScalingLineRow)
    tokens = {name: read_power(inputs, name) for name in ENTRIES}
    measured, points = size_report.measured(runs["sizes"], low_rank, tokens, params.sizes.base)
    records.write_table(out / "sizes.csv", points, size_report.SizePointRow)
    metrics["M3"] = {"all": report.against_published(compared)} | measured
    return metrics


def scaling(inputs: Path, optima: pd.DataFrame) -> pd.DataFrame:
    """Return M3's table beside the optima and the published one."""
    file = inputs / "reference" / "divergence_scaling" / "power_law.csv"
    published = records.read_table(file, report.PublishedDivergenceRow)
    trained = records.read_table(inputs / "memory_train_table" / "table.csv", DivergenceRow)
    return report.compared(trained, optima, published)
