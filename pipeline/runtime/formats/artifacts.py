"""Read and write what stages exchange: npz, csv and json.

Writes are atomic and byte-reproducible (no times, fixed order). Reads check what they find; an
:class:`ArtifactError` names the file and the stage that makes it. Nothing is pickled.
"""

import csv
import json
import math
from collections.abc import Collection, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.one_line import shortened, shown
from pipeline.runtime.files import MOST_TEXT, atomic, reading
from pipeline.runtime.files import ArtifactError as ArtifactError
from pipeline.runtime.formats import npz, strict_json

# torch takes a second to import: a stage that needs it has done it.
if TYPE_CHECKING:
    import torch

LISTED = 200  # characters of the names that a file has instead of the one that it should have
Arrays = dict[str, NDArray[Any]]


def write_npz(path: Path, **arrays: "NDArray[Any] | torch.Tensor") -> None:
    """Write named arrays (any shape; no objects) to ``path``."""
    plain = {
        name: array if isinstance(array, np.ndarray) else np.asarray(array.detach())
        for name, array in arrays.items()
    }
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **plain)


def read_npz(path: Path, **expected: str) -> Arrays:
    """Read arrays and check each against its expectation.

    An expectation is a dtype and axes, ``states="float64 trajectory time 2"``: a number is an exact
    size, a name is any size, the same wherever the name stands again.
    """
    with reading(path):
        names, arrays = npz.names_and_arrays(path, expected)
    if missing := expected.keys() - arrays.keys():
        raise ArtifactError(
            path, f"has no array {sorted(missing)[0]!r}, only {shown(names, LISTED)}"
        )
    sizes: dict[str, int] = {}
    for name, expectation in expected.items():
        dtype, *axes = expectation.split()
        array = arrays[name]
        typed = array.dtype.kind == "U" if dtype == "str" else array.dtype == dtype
        fits = len(axes) == array.ndim and all(
            size == (int(axis) if axis.isdigit() else sizes.setdefault(axis, size))
            for axis, size in zip(axes, array.shape, strict=True)
        )
        if not (typed and fits):
            wanted = ", ".join(f"{a}={sizes[a]}" if a in sizes else a for a in axes)
            raise ArtifactError(
                path,
                f"array {name!r} is {shortened(str(array.dtype))} {array.shape}, "
                f"expected {dtype} ({wanted})",
            )
    return arrays


def read_tensors(path: Path, **expected: str) -> "dict[str, torch.Tensor]":
    """Read arrays as tensors; expectations as :func:`read_npz`."""
    import torch

    return {name: torch.from_numpy(a) for name, a in read_npz(path, **expected).items()}


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table without its index; numbers keep all their digits."""
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")


def read_csv(path: Path, columns: Sequence[str], text: Collection[str] = ()) -> pd.DataFrame:
    """Read a table that must have these columns (others may stand beside them).

    The columns ``text`` hold words, whatever these look like: 1, NA, true. An empty cell is NaN.
    """
    with reading(path, MOST_TEXT):
        header = _table_header(path.read_bytes().decode("utf-8"))
        table = pd.read_csv(
            path,
            dtype=dict.fromkeys(set(text) & set(header), str),
            keep_default_na=False,
            na_values=[""],
            encoding="utf-8",
        )
    missing = [column for column in columns if column not in header]
    if missing:
        raise ArtifactError(
            path, f"has no column {missing[0]!r}, only {shown(list(header), LISTED)}"
        )
    return table


def _table_header(text: str) -> list[str]:
    """Return the names of a table's columns; ValueError if its lines are not all of that length."""
    # What is cut off inside a line would read as a shorter number.
    if not text.endswith("\n"):
        raise ValueError("its last line has no end")
    if "\0" in text:
        raise ValueError("it holds a zero byte")
    header, *lines = csv.reader(StringIO(text, newline=""), strict=True)
    if len(set(header)) < len(header):
        raise ValueError(f"a column stands twice in {shown(header)}")
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise ValueError(f"row {number} has {len(line)} cells, expected {len(header)}")
    return header


def write_json(path: Path, content: Mapping[str, Any] | Sequence[Any]) -> None:
    """Write JSON; a number that is not finite is an error that names its key."""
    _refuse_non_finite(content, path.name)
    with atomic(path) as temporary:
        temporary.write_text(
            json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8"
        )


def _refuse_non_finite(content: Any, where: str) -> None:
    if isinstance(content, Mapping):
        for key, value in content.items():
            _refuse_non_finite(value, f"{where}: {key}" if ":" not in where else f"{where}.{key}")
    elif isinstance(content, (list, tuple)):
        for index, value in enumerate(content):
            _refuse_non_finite(value, f"{where}[{index}]")
    elif isinstance(content, float) and not math.isfinite(content):
        raise ValueError(f"{where} is {content}: only finite numbers can be written")


def read_json(path: Path) -> Any:
    """Read JSON."""
    with reading(path, MOST_TEXT):
        return strict_json.parse(path.read_text(encoding="utf-8"))
