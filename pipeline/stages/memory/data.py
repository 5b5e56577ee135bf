"""Draw the distributions of all memory experiments."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.data.draw import DistributionsConfig, draw
from pipeline.runtime.formats import records


class Params(StageParams):
    """The distributions."""

    distributions: DistributionsConfig = Field(alias="memory.distributions")


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it is a source
    """Write one npz file for each entry."""
    for name in DistributionsConfig.model_fields:
        records.write_arrays(out / f"{name}.npz", draw(getattr(params.distributions, name)))
