"""The conjunction lab's data sets, written and read."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from pipeline.labs.conjunction import datasets
from pipeline.labs.conjunction.datasets import DataSets
from pipeline.runtime import artifacts


def write_data(path: Path, data: Mapping[str, DataSets]) -> None:
    """Write data sets by name."""
    arrays: dict[str, Tensor] = {}
    for name, sets in data.items():
        arrays |= datasets.to_arrays(name, sets)
    artifacts.write_npz(path, **arrays)


def read_data(inputs: Path, file: str, names: Sequence[str]) -> dict[str, DataSets]:
    """Read data sets by name."""
    path = inputs / "conjunction_data" / file
    arrays = artifacts.read_tensors(path, **datasets.schema(names))
    return {name: datasets.from_arrays(name, arrays) for name in names}
