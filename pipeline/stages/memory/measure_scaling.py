"""P1-P7: every point beside the published one and the bounds; the fits."""

from pathlib import Path

import pandas as pd
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.training.sampling import generators
from pipeline.labs.memory import comparison
from pipeline.runtime import artifacts

SWEEPS = ("heads", "published", "widths", "mlp", "small", "large")
PUBLISHED = {**{f"exp1_d{d}": "P1" for d in range(3, 14)}, "exp2": "P2", "exp3": "P3"}


HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """Where saturation begins, and how often to resample."""

    measure: comparison.MeasureConfig = Field(alias="memory.measure")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:
    """Write points.csv and fits.csv; return the metrics P1.*, ..., P7.*."""
    published = pd.concat(
        artifacts.read_csv(
            inputs / "reference" / "memorization_scaling" / f"{name}.csv",
            ["acc", *comparison.WHERE],
        ).assign(experiment=experiment)
        for name, experiment in PUBLISHED.items()
    )
    tables = {
        name: artifacts.read_csv(
            inputs / f"memory_train_{name}" / "table.csv", ["experiment", "acc"]
        )
        for name in SWEEPS
    }
    protocol = tables.pop("published").assign(experiment="P1_published")
    table = pd.concat([t for t in (*tables.values(), protocol) if len(t)], ignore_index=True)
    points = comparison.points(table, published)
    artifacts.write_csv(out / "points.csv", points)
    fits = comparison.fits(table, params.measure, generators([0])[0])
    rows = [
        {"fit": name, "quantity": k, "value": v} for name, f in fits.items() for k, v in f.items()
    ]
    artifacts.write_csv(out / "fits.csv", pd.DataFrame(rows, columns=["fit", "quantity", "value"]))
    metrics = comparison.by_point(points)
    for experiment in ("P1", "P1_published", "P2", "P3"):
        if bool(points[points.experiment == experiment].published.notna().any()):
            metrics[experiment]["all"] = comparison.against_published(points, experiment)
    for experiment, found in comparison.nested(fits).items():
        metrics.setdefault(experiment, {}).update(found)
    metrics["P5"]["all"] = comparison.mlp_advantage(table)
    return metrics
