"""P1-P7: every point beside the published one and the bounds; the fits and their rivals."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.report import fits, points
from pipeline.labs.memory.report.scaling import metrics_of
from pipeline.labs.memory.train.runs import RunRow
from pipeline.runtime.formats import records

SWEEPS = ("heads", "published", "widths", "mlp", "small", "large")
HEADLINE = (
    "P1.all.mean_accuracy",
    "P1.all.published_mean",
    "P1.all.worst_gap_train",
    "P2.quadratic_mapped.quadratic",
    "P3.piecewise_mapped.breakpoint",
    "P3.piecewise_mapped.slope_before",
    "P3.piecewise_mapped.slope_after",
    "P4.slope_growth.exponent",
    "P5.all.mlp_advantage",
)


class Params(StageParams):
    """Where saturation begins, and how often to resample."""

    measure: fits.MeasureConfig = Field(alias="memory.measure")


def run(params: Params, inputs: Path, out: Path) -> points.Metrics:
    """Write points.csv and fits.csv; return the results P1.*, ..., P7.*."""
    folder = inputs / "reference" / "memorization_scaling"
    published = {
        name: records.read_table(folder / f"{name}.csv", points.PublishedAccuracyRow)
        for name in points.PUBLISHED
    }
    runs = points.joined(
        {
            name: records.read_table(inputs / f"memory_train_{name}" / "table.csv", RunRow)
            for name in SWEEPS
        }
    )
    table = points.points(runs, published)
    records.write_table(out / "points.csv", table, points.PointRow)
    fitted = fits.fitted(runs, params.measure, generators([0])[0])
    records.write_table(out / "fits.csv", fits.long_table(fitted), fits.FitRow)
    return metrics_of(runs, table, fitted)
