"""C1 and C2: attention under two gains, and scaled dot-product attention against torch's."""

from pathlib import Path

import torch
from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.stats.intervals import Summary, summary
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction import gains
from pipeline.labs.conjunction.gains import GainsConfig
from pipeline.labs.conjunction.scaled_dot_product import CheckConfig, rounding_errors
from pipeline.runtime import artifacts

HEADLINE = ("*",)  # the numbers to compare


class Params(StageParams):
    """The grid of gains, and the sizes of the check."""

    gains: GainsConfig = Field(alias="conjunction.gains")
    check: CheckConfig = Field(alias="conjunction.scaled_dot_product")


def run(params: Params, inputs: Path, out: Path) -> dict[str, dict[str, Summary]]:  # noqa: ARG001
    """Write the weights and outputs over the grid; return ``C1.grid.*`` and ``C2.DTYPE.*``."""
    config = params.gains
    x = gains.signal(config, generators([config.seed])[0])
    q, z = gains.patterns(config.positions), gains.grid(config)
    weights, output = gains.attend(x, q, z)
    spread = gains.effective_positions(weights)
    artifacts.write_npz(
        out / "gains.npz", x=x, q=q, z=z[:, 0, 0], weights=weights, output=output, spread=spread
    )
    corners = {"spread_low_gain": spread[0, 0], "spread_high_gain": spread[-1, -1]}
    errors = {
        str(dtype).removeprefix("torch."): rounding_errors(params.check, dtype)
        for dtype in (torch.float32, torch.float64)
    }
    return {
        "C1": {"grid": {name: float(value) for name, value in corners.items()} | {"n": 1}},
        "C2": {
            name: summary({"rounding_units": found}) | {"rounding_units_max": float(found.max())}
            for name, found in errors.items()
        },
    }
