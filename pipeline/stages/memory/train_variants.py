"""M2, M4: the memory with parts frozen, and with parts left out."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.memory import notebook
from pipeline.stages.memory._runs import read_power, train_cells, write_sweep


class Params(StageParams):
    """The variants and their training."""

    variants: notebook.VariantsConfig = Field(alias="memory.train_variants")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write table.csv, the models and their loss curves."""
    frozen = notebook.freezing(params.variants, read_power(inputs, "freezing"))
    skipped = notebook.skipping(params.variants, read_power(inputs, "skips"))
    results = train_cells("M2, M4", [*frozen, *skipped])
    split = len(frozen)
    write_sweep(out, {"M2": (frozen, results[:split]), "M4": (skipped, results[split:])})
