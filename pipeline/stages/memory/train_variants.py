"""M2, M4: the memory with parts frozen, and with parts left out."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory.train.variants import VariantsConfig
from pipeline.stages.memory._runs import read_power, train_sweep, write_sweep


class Params(StageParams):
    """The variants and their training."""

    variants: VariantsConfig = Field(alias="memory.train_variants")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves."""
    freezing, skips = read_power(inputs, "freezing"), read_power(inputs, "skips")
    write_sweep(out, train_sweep(params.variants.cells(freezing, skips)))
