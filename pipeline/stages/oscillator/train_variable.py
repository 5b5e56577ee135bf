"""O5: train the study's attention models on trajectories of varying frequency."""

from dataclasses import replace
from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.train.forecast import train_forecaster
from pipeline.labs.oscillator.train.studies import VariableTrainConfig, variable_cells
from pipeline.runtime import training_record
from pipeline.runtime.formats import records


class Params(StageParams):
    """The training of O5."""

    train: VariableTrainConfig = Field(alias="oscillator.train_variable")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the trained models; the first seed of the last one listed is registered by name."""
    train, valid = (
        records.read_arrays(inputs / "oscillator_data" / f"variable_{part}.npz", Split)
        for part in ("train", "valid")
    )
    cells = variable_cells(params.train, train, valid)
    trained = training_record.train_cells(train_forecaster, {"O5": cells})
    example = train.states[:2, :-1].to(params.train.training.torch_dtype)
    trained[-1] = replace(trained[-1], register=params.train.register_as, example=example)
    training_record.write(out, trained)
