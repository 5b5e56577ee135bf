"""All results of P1-P7: points, fits, and what is said of a sweep as a whole."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.labs.memory.report.endings import depth_advantage, endings, mlp_advantage
from pipeline.labs.memory.report.points import AGAIN, by_point
from pipeline.labs.memory.report.published import against_published, by_heads
from pipeline.labs.memory.train.endings import QUARTER

Metrics = dict[str, Any]
TO_THE_END = ("P5", "P6", "P7")


def metrics_of(runs: pd.DataFrame, table: pd.DataFrame, fitted: Mapping[str, Metrics]) -> Metrics:
    """Return all results of P1-P7, {experiment: {model, fit or "all": quantities}}."""
    metrics = by_point(table)

    def note(experiment: str, condition: str, quantities: Metrics) -> None:
        if quantities:
            metrics.setdefault(experiment, {}).setdefault(condition, {}).update(quantities)

    for experiment in ("P1", AGAIN, "P2", "P3"):
        note(experiment, "all", against_published(table, experiment))
    for experiment in ("P1", AGAIN):
        for condition, quantities in by_heads(table, experiment).items():
            note(experiment, condition, quantities)
    for name, quantities in fitted.items():
        experiment, _, condition = name.partition(".")
        note(experiment, condition, quantities)
    for experiment in TO_THE_END:
        note(experiment, "ending", endings(runs, experiment))
    for experiment in ("P5", "P5" + QUARTER):
        note(experiment, "all", mlp_advantage(runs, experiment))
    for experiment in ("P7", "P7" + QUARTER):
        for condition, quantities in depth_advantage(runs, experiment).items():
            note(experiment, condition, quantities)
    return metrics
