"""Draw the laws of all memory experiments."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory import datasets
from pipeline.runtime import artifacts


class Params(StageParams):
    """The laws."""

    laws: datasets.LawsConfig = Field(alias="memory.laws")


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it is a source
    """Write one npz file for each entry."""
    for name in datasets.LawsConfig.model_fields:
        artifacts.write_npz(out / f"{name}.npz", **datasets.draw(getattr(params.laws, name)))
