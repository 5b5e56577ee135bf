"""Make the oscillator lab's data sets, in closed form."""

from pathlib import Path

from pydantic import Field, model_validator

from pipeline.bounds import refuse_large
from pipeline.config import StageParams
from pipeline.labs.oscillator.data.fixed import FixedDataConfig, fixed
from pipeline.labs.oscillator.data.task import TaskConfig
from pipeline.labs.oscillator.data.time import TimeDataConfig, time_data
from pipeline.labs.oscillator.data.windows import WindowDataConfig, windows
from pipeline.runtime.formats import records


class Params(StageParams):
    """The physics and the sizes of the data sets."""

    task: TaskConfig = Field(alias="oscillator.task")
    fixed: FixedDataConfig = Field(alias="oscillator.fixed_data")
    time: TimeDataConfig = Field(alias="oscillator.time_data")
    sequence: WindowDataConfig = Field(alias="oscillator.sequence_data")
    variable: WindowDataConfig = Field(alias="oscillator.variable_data")
    aged: WindowDataConfig = Field(alias="oscillator.aged_data")
    damped: WindowDataConfig = Field(alias="oscillator.damped_data")

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "Params":
        steps = round(self.time.duration / self.task.dt) + 1
        refuse_large("oscillator.time_data: test * duration / dt * 2", self.time.test, steps, 2)
        return self


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it is a source
    """Write one npz file for each split."""
    splits = fixed(params.task, params.fixed)
    for name in ("sequence", "variable", "aged", "damped"):
        parts = windows(params.task, getattr(params, name))
        splits |= {f"{name}_{part}": split for part, split in parts.items()}
    triples, splits["time_test"] = time_data(params.time, params.task.dt)
    records.write_arrays(out / "time_train.npz", triples)
    for name, split in splits.items():
        records.write_arrays(out / f"{name}.npz", split)
