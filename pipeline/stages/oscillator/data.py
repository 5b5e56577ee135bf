"""Make the oscillator lab's data sets, in closed form."""

from pathlib import Path

from pydantic import Field

from pipeline.config import StageParams
from pipeline.labs.oscillator import datasets
from pipeline.labs.oscillator.task import TaskConfig
from pipeline.labs.oscillator.time_network import TimeDataConfig, time_data
from pipeline.runtime import artifacts


class Params(StageParams):
    """The physics and the sizes of the data sets."""

    task: TaskConfig = Field(alias="oscillator.task")
    fixed: datasets.FixedDataConfig = Field(alias="oscillator.fixed_data")
    time: TimeDataConfig = Field(alias="oscillator.time_data")
    sequence: datasets.WindowDataConfig = Field(alias="oscillator.sequence_data")
    variable: datasets.WindowDataConfig = Field(alias="oscillator.variable_data")
    aged: datasets.WindowDataConfig = Field(alias="oscillator.aged_data")
    damped: datasets.WindowDataConfig = Field(alias="oscillator.damped_data")


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it is a source
    """Write one npz file for each split."""
    splits = datasets.fixed(params.task, params.fixed)
    for name in ("sequence", "variable", "aged", "damped"):
        made = datasets.windows(params.task, getattr(params, name))
        splits |= {f"{name}_{part}": split for part, split in made.items()}
    splits["time_train"], splits["time_test"] = time_data(params.time, params.task.dt)
    for name, split in splits.items():
        artifacts.write_npz(out / f"{name}.npz", **split)
