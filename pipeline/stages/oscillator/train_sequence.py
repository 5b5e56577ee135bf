"""O4: one-layer attention on one frequency, whole-sequence against last-position loss."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.train.forecast import train_forecaster
from pipeline.labs.oscillator.train.studies import SequenceTrainConfig, sequence_cells
from pipeline.runtime import training_record
from pipeline.runtime.formats import records


class Params(StageParams):
    """The training of O4."""

    train: SequenceTrainConfig = Field(alias="oscillator.train_sequence")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models ``last`` and ``sequence``, named by their loss."""
    train, valid = (
        records.read_arrays(inputs / "oscillator_data" / f"sequence_{part}.npz", Split)
        for part in ("train", "valid")
    )
    cells = sequence_cells(params.train, train, valid)
    training_record.write(out, training_record.train_cells(train_forecaster, {"O4": cells}))
