"""The records that stages exchange: one class a file format, written and checked by that class.

A lab defines a record beside the code that makes its content; the stage that writes the file and
the stages that read it name the class, and nothing else says what the file holds.

* An **npz** file is a frozen dataclass of arrays. A field's jaxtyping annotation is its check:
  ``Float64[Tensor, "trajectory time 2"]`` (or ``[np.ndarray, ...]``, which it then is when read).
  A number is an exact size; a name is any size, the same wherever the name stands again in the
  file. ``tuple[str, ...]`` is a list of names.
* A **csv** file is a table whose columns are the fields of a frozen dataclass of ``str``, ``int``,
  ``float`` and ``bool`` (``| None``: may be empty).
* A **json** file is a pydantic model, or any type that pydantic can check.
"""

import types
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError

from pipeline.one_line import shortened
from pipeline.runtime.files import MOST_TEXT, ArtifactError, reading
from pipeline.runtime.formats import artifacts, strict_json

Record = TypeVar("Record")
NAMES = tuple[str, ...]
KINDS = {str: "text", int: "whole numbers", float: "numbers", bool: "true or false"}


def write_arrays(path: Path, record: object) -> None:
    """Write a dataclass of arrays as npz; TypeError if a field is not what its annotation says."""
    kind = type(record)
    values = {name: getattr(record, name) for name in _hints(kind)}
    arrays = {
        name: np.array(value, dtype=np.str_) if isinstance(value, tuple) else value
        for name, value in values.items()
    }
    for name, (dtype, axes) in _expectations(kind).items():
        value = arrays[name]
        found = str(value.dtype).removeprefix("torch.")
        typed = value.dtype.kind == "U" if dtype == "str" else found == dtype
        if not typed or value.ndim != len(axes.split()):
            raise TypeError(
                f"{kind.__name__}.{name} is {found} {tuple(value.shape)}, expected {dtype} ({axes})"
            )
    artifacts.write_npz(path, **arrays)


def read_arrays(path: Path, kind: type[Record]) -> Record:
    """Read an npz file as ``kind``; ArtifactError if an array is missing or not as annotated."""
    expected = {name: f"{dtype} {axes}" for name, (dtype, axes) in _expectations(kind).items()}
    arrays: dict[str, Any] = dict(artifacts.read_npz(path, **expected))
    for name, hint in _hints(kind).items():
        if hint == NAMES:
            arrays[name] = tuple(str(item) for item in arrays[name])
        elif hint.array_type is not np.ndarray:
            import torch  # a second, which a record of NumPy arrays does not need

            arrays[name] = torch.from_numpy(arrays[name])
    return kind(**arrays)


def write_table(path: Path, table: pd.DataFrame, row: type[object]) -> None:
    """Write a table whose columns are those of ``row``, in its order; TypeError if they differ."""
    columns = list(_hints(row))
    if set(table.columns) != set(columns):
        raise TypeError(f"{path.name}: columns are {list(table.columns)}, expected {columns}")
    artifacts.write_csv(path, table[columns])


def read_table(path: Path, row: type[object]) -> pd.DataFrame:
    """Read a table written as ``row``; ArtifactError names the column that is not as it says."""
    hints = _hints(row)
    words = [name for name, hint in hints.items() if _plain(hint)[0] is str]
    table = artifacts.read_csv(path, list(hints), text=words)
    for name, hint in hints.items():
        kind, optional = _plain(hint)
        column = table[name]
        if not optional and bool(column.isna().any()):
            raise ArtifactError(path, f"column {name!r} has an empty cell")
        if not _is_of(column.dropna(), kind):
            raise ArtifactError(path, f"column {name!r} is {column.dtype}, expected {KINDS[kind]}")
    return table[list(hints)]


def read_json(path: Path, kind: type[Record] | types.GenericAlias) -> Record:
    """Read a json file as ``kind``; ArtifactError names the first key that is not as it says."""
    with reading(path, MOST_TEXT):
        text = path.read_text(encoding="utf-8")
        strict_json.parse(text)  # what is no JSON at all is told as every damaged file is
    try:
        return TypeAdapter(kind).validate_json(text)  # type: ignore[arg-type]
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = shortened(".".join(str(part) for part in fault["loc"])) or "the file"
        raise ArtifactError(path, f"{key}: {fault['msg']}") from error


def _hints(kind: type[object]) -> dict[str, Any]:
    assert is_dataclass(kind), f"{kind.__name__} must be a dataclass"
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _expectations(kind: type[object]) -> dict[str, tuple[str, str]]:
    """Return each array's dtype and axes."""
    expected = {}
    for name, hint in _hints(kind).items():
        if hint == NAMES:
            expected[name] = ("str", name)
            continue
        expected[name] = (hint.dtypes[0].removesuffix("_"), hint.dim_str)
    return expected


def _plain(hint: Any) -> tuple[type, bool]:
    """Split ``float | None`` into (float, True)."""
    if get_origin(hint) in (Union, types.UnionType):
        (kind,) = (a for a in get_args(hint) if a is not types.NoneType)
        return kind, True
    return hint, False


def _is_of(column: "pd.Series[Any]", kind: type) -> bool:
    if not len(column):
        return True
    if kind is bool:
        return bool(column.map(type).isin([bool, np.bool_]).all())
    numbers = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if kind is int:
        return numbers and bool((column % 1 == 0).all())
    if kind is float:
        return numbers
    return True  # a name may look like a number
