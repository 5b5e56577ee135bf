"""O6: fit the linear model of a window, by the normal equation and by gradient descent."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.core.nn.linear import fit_linear_window
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.train.forecast import train_forecaster
from pipeline.labs.oscillator.train.studies import LinearTrainConfig, linear_cell
from pipeline.runtime import training_record
from pipeline.runtime.formats import records


class Params(StageParams):
    """The linear models of O6."""

    train: LinearTrainConfig = Field(alias="oscillator.train_linear")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models ``linear`` (normal equation, float64) and ``linear_gradient``."""
    train, valid = (
        records.read_arrays(inputs / "oscillator_data" / f"variable_{part}.npz", Split)
        for part in ("train", "valid")
    )
    exact = training_record.Trained(
        experiment="O6",
        name="linear",
        seeds=[0],
        model=fit_linear_window(train.states[:, :-1], train.states[None, :, -1]),
        history=None,
        params={"method": "normal equation"},
    )
    cells = [linear_cell(params.train, train, valid)]
    by_gradient = training_record.train_cells(train_forecaster, {"O6": cells})
    training_record.write(out, [exact, *by_gradient])
