"""O1: the first post's claims about linear regression, measured on made data."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import mean_summary, summary, table
from pipeline.labs.oscillator.regression import (
    RegressionConfig,
    car_quantities,
    housing_quantities,
    spring_quantities,
)
from pipeline.labs.oscillator.regression_examples import examples
from pipeline.runtime import artifacts

SHARES = ("coverage_line", "coverage_new")


HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The three examples: a spring, a car's range, the price of houses."""

    examples: RegressionConfig = Field(alias="oscillator.regression")


def run(params: Params, inputs: Path, out: Path) -> dict[str, object]:  # noqa: ARG001 - a source
    """Write what the figure draws of the first seed; return the metrics ``O1.EXAMPLE.*``."""
    config = params.examples
    spring = spring_quantities(config.spring, config.seeds)
    shares = {name: spring.pop(name) for name in SHARES}
    metrics = {
        "spring": summary(spring) | mean_summary(shares),
        "car": summary(car_quantities(config.car, config.seeds)),
        "housing": summary(housing_quantities(config.housing, config.seeds)),
    }
    artifacts.write_npz(out / "examples.npz", **examples(config))
    artifacts.write_csv(out / "table.csv", table({"O1": metrics}))
    return {"O1": metrics}
