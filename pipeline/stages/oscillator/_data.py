"""What the oscillator's stages share: reading its data sets."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipeline.labs.oscillator import datasets
from pipeline.runtime import artifacts


def read_split(inputs: Path, split: str) -> datasets.Split:
    """Read one split of the data."""
    return artifacts.read_tensors(inputs / "oscillator_data" / f"{split}.npz", **datasets.SCHEMA)


@dataclass(frozen=True)
class Test:
    """Windows of the test trajectories and the true states after them; the last is the example."""

    window: Tensor
    true: Tensor
    omega0: Tensor
    gamma: Tensor


def read_test(inputs: Path, data: str) -> Test:
    """Read the test trajectories of a data set, the example added as the last of them."""
    size = read_split(inputs, f"{data}_valid")["states"].shape[1] - 1
    splits = [read_split(inputs, f"{data}_{name}") for name in ("test", "example")]
    joined = {name: torch.cat([split[name] for split in splits]) for name in datasets.SCHEMA}
    states = joined["states"]
    return Test(states[:, :size], states[:, size:], joined["omega0"], joined["gamma"])
