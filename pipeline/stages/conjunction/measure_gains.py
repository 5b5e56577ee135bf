"""C1 and C2: attention under two gains, and scaled dot-product attention against torch's."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.labs.conjunction.measure import gains, scaled_dot_product
from pipeline.labs.conjunction.measure.gains import GainsConfig
from pipeline.labs.conjunction.measure.scaled_dot_product import CheckConfig
from pipeline.runtime.formats import records

HEADLINE = ("C1.grid.effective_positions_max_gain", "C2.float64.rounding_units_max")


class Params(StageParams):
    """The grid of gains, and the sizes of the check."""

    gains: GainsConfig = Field(alias="conjunction.gains")
    check: CheckConfig = Field(alias="conjunction.scaled_dot_product")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:  # noqa: ARG001
    """Write the weights and outputs over the grid; return ``C1.grid.*`` and ``C2.DTYPE.*``."""
    grid = gains.measure(params.gains)
    records.write_arrays(out / "gains.npz", grid)
    return {"C1": {"grid": gains.summarise(grid)}, "C2": scaled_dot_product.measure(params.check)}
