"""O1: the first post's claims about linear regression, measured on made data."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import table
from pipeline.labs.oscillator.data.regression import RegressionConfig
from pipeline.labs.oscillator.measure.regression import regression_results
from pipeline.labs.oscillator.report.regression_examples import examples
from pipeline.labs.oscillator.report.results import QuantityRow
from pipeline.runtime.formats import records

HEADLINE = ("O1.spring.coverage_line", "O1.car.gain", "O1.housing.gain")


class Params(StageParams):
    """The three examples: a spring, a car's range, the price of houses."""

    examples: RegressionConfig = Field(alias="oscillator.regression")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:  # noqa: ARG001 - a source
    """Write what the figure draws of the first seed; return the results ``O1.EXAMPLE.*``."""
    results = {"O1": regression_results(params.examples)}
    records.write_arrays(out / "examples.npz", examples(params.examples))
    records.write_table(out / "table.csv", table(results), QuantityRow)
    return {**results}
