"""Make the oscillator lab's data sets, in closed form."""

from pathlib import Path

from pydantic import Field

from pipeline import artifacts
from pipeline.config import StageParams
from pipeline.labs.oscillator import datasets
from pipeline.labs.oscillator.task import TaskConfig


class Params(StageParams):
    """The physics and the sizes of the data sets."""

    task: TaskConfig = Field(alias="oscillator.task")
    fixed: datasets.FixedDataConfig = Field(alias="oscillator.fixed_data")
    variable: datasets.WindowDataConfig = Field(alias="oscillator.variable_data")


def run(params: Params, inputs: Path, out: Path) -> None:  # noqa: ARG001 - it is a source
    """Write one npz file for each split."""
    splits = datasets.fixed(params.task, params.fixed)
    windows = datasets.windows(params.task, params.variable)
    splits |= {f"variable_{name}": split for name, split in windows.items()}
    for name, split in splits.items():
        artifacts.write_npz(out / f"{name}.npz", **split)
