"""O3: train one-layer attention on one frequency, for each damping and each recipe."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.train.forecast import train_forecaster
from pipeline.labs.oscillator.train.studies import FixedTrainConfig, fixed_cells
from pipeline.runtime import training_record
from pipeline.runtime.formats import records


class Params(StageParams):
    """The training of O3."""

    train: FixedTrainConfig = Field(alias="oscillator.train_fixed")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write models named ``gamma_0`` and, by another recipe, ``gamma_0_study``."""
    train, test = (
        records.read_arrays(inputs / "oscillator_data" / f"fixed_{part}.npz", Split)
        for part in ("train", "test")
    )
    cells = fixed_cells(params.train, train, test)
    training_record.write(out, training_record.train_cells(train_forecaster, {"O3": cells}))
