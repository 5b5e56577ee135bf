"""C1 and C2: attention under two gains; scaled dot-product attention, and what its scale does."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary
from pipeline.labs.conjunction.measure import gains, saturation, scaled_dot_product
from pipeline.labs.conjunction.measure.gains import GainsConfig
from pipeline.labs.conjunction.measure.saturation import SaturationConfig
from pipeline.labs.conjunction.measure.scaled_dot_product import CheckConfig
from pipeline.runtime.formats import records

HEADLINE = ("C1.grid.effective_positions_max_gain", "C2.float64.rounding_units_max")


class Params(StageParams):
    """The grid of gains, the sizes of the check, and the widths whose softmax may saturate."""

    gains: GainsConfig = Field(alias="conjunction.gains")
    check: CheckConfig = Field(alias="conjunction.scaled_dot_product")
    saturation: SaturationConfig = Field(alias="conjunction.saturation")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:  # noqa: ARG001
    """Write the weights and outputs over the grid; return ``C1.grid.*``, ``C2.*``."""
    grid = gains.measure(params.gains)
    records.write_arrays(out / "gains.npz", grid)
    of_scale = saturation.measure(params.saturation)
    return {
        "C1": {"grid": gains.summarise(grid)},
        "C2": scaled_dot_product.measure(params.check) | of_scale,
    }
