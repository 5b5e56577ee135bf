"""O6: fit the linear model of a window, by the normal equation and by gradient descent."""

from pathlib import Path

from pydantic import Field

from pipeline.config import Section, Seeds, StageParams
from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig, fit_linear_window
from pipeline.core.training.ensemble import TrainingConfig
from pipeline.labs.oscillator.forecast import ForecastCell
from pipeline.runtime import training_record
from pipeline.stages.oscillator._data import read_split
from pipeline.stages.oscillator._forecast import train_cells


class LinearTrainConfig(Section):
    """The training by gradient; the normal equation needs nothing."""

    seeds: Seeds
    training: TrainingConfig


class Params(StageParams):
    """The linear models of O6."""

    train: LinearTrainConfig = Field(alias="oscillator.train_linear")


def run(params: Params, inputs: Path, out: Path) -> None:
    """Write the models ``linear`` (normal equation, float64) and ``linear_gradient``."""
    states = read_split(inputs, "variable_train")["states"]
    exact = training_record.Trained(
        experiment="O6",
        name="linear",
        seeds=[0],
        model=fit_linear_window(states[:, :-1], states[None, :, -1]),
        history=None,
        params={"method": "normal equation"},
    )
    cell = ForecastCell(
        name="linear_gradient",
        kind=LinearWindow,
        config=LinearWindowConfig(window=states.shape[1] - 1, d_in=2, d_out=2),
        seeds=params.train.seeds,
        loss="last",
        training=params.train.training,
        train=states,
        valid=read_split(inputs, "variable_valid")["states"],
    )
    training_record.write(out, [exact, *train_cells("O6", [cell])])
