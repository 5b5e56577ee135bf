"""artifacts: a file that is missing, truncated, foreign or of another shape is named."""

import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_files import (
    READERS,
    SCHEMA,
    STATES,
    TABLE,
    WRITERS,
    folder_reused,
    refusal,
    stage_file,
)
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runtime.formats import artifacts
from pipeline.runtime.formats.artifacts import ArtifactError


@pytest.mark.parametrize("name", list(READERS))
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    assert "is missing" in refusal(READERS[name], stage_file(tmp_path, name))


@pytest.mark.parametrize("name", ["states.npz", "metrics.json"])
@given(data=st.data())
@folder_reused
def test_any_truncation_is_refused(tmp_path: Path, name: str, data: Any) -> None:
    path = stage_file(tmp_path, name)
    WRITERS[name](path)
    whole = path.read_bytes()
    # JSON without its last line break is still all of the content.
    cut = data.draw(st.integers(0, len(whole) - (2 if name.endswith("json") else 1)))
    path.write_bytes(whole[:cut])
    assert "is truncated" in refusal(READERS[name], path)


def test_a_table_cut_inside_a_line_is_refused(tmp_path: Path) -> None:
    # One cut between two lines is a shorter table, which its format cannot tell from a whole one.
    path = stage_file(tmp_path, "table.csv")
    artifacts.write_csv(path, TABLE)
    whole = path.read_bytes()
    ends = {k + 1 for k, byte in enumerate(whole) if byte == ord("\n")}
    for cut in set(range(len(whole))) - ends:
        path.write_bytes(whole[:cut])
        assert "is truncated" in refusal(READERS["table.csv"], path)


@pytest.mark.parametrize("name", list(READERS))
@given(junk=st.binary(max_size=200))
@folder_reused
def test_any_foreign_bytes_are_refused_or_valid(tmp_path: Path, name: str, junk: bytes) -> None:
    path = stage_file(tmp_path, name)
    path.write_bytes(junk)
    if name == "metrics.json":
        try:
            json.loads(junk.decode())
        except ValueError:
            pass
        else:
            return  # digits, say
    refusal(READERS[name], path)


@given(data=st.data())
@folder_reused
def test_any_flipped_byte_of_arrays_is_refused_or_harmless(tmp_path: Path, data: Any) -> None:
    path = stage_file(tmp_path, "states.npz")
    artifacts.write_npz(path, **STATES)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        found = artifacts.read_npz(path, **SCHEMA)
    except ArtifactError:
        return
    for name, array in STATES.items():  # a flip in what zip does not use: times, attributes
        assert np.array_equal(found[name], array)


def pickled(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, states=np.array([{"an": "object"}]), omega0=np.ones(1))


def bare_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, STATES["states"])


def other_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("states", b"text")
        file.writestr("omega0", b"text")


@pytest.mark.parametrize("foreign", [pickled, bare_array, other_zip])
def test_arrays_of_another_kind_are_refused(
    tmp_path: Path, foreign: Callable[[Path], None]
) -> None:
    path = stage_file(tmp_path, "states.npz")
    foreign(path)
    refusal(READERS["states.npz"], path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"states": np.ones((3, 4, 3))}, "array 'states' is float64 (3, 4, 3), expected float64"),
        ({"states": np.ones((3, 8))}, "array 'states' is float64 (3, 8), expected float64"),
        (
            {"states": np.ones((3, 4, 2), np.float32)},
            "array 'states' is float32 (3, 4, 2), expected float64 (trajectory=3, time=4, 2)",
        ),
        (
            {"omega0": np.ones(2)},
            "array 'omega0' is float64 (2,), expected float64 (trajectory=3)",
        ),
        ({"omega0": np.array(["a"] * 3)}, "array 'omega0' is <U1 (3,), expected float64"),
    ],
)
def test_another_shape_or_dtype_or_size_is_named(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    path = stage_file(tmp_path, "states.npz")
    artifacts.write_npz(path, **(STATES | changes))
    assert problem in refusal(READERS["states.npz"], path)


def test_a_missing_array_or_column_is_named_beside_what_there_is(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "states.npz")
    artifacts.write_npz(path, states=STATES["states"])
    found = refusal(READERS["states.npz"], path)
    assert "has no array 'omega0', only ['states']" in found
    table = stage_file(tmp_path, "table.csv")
    artifacts.write_csv(table, TABLE[["model"]])
    found = refusal(READERS["table.csv"], table)
    assert "has no column 'seed', only ['model']" in found


def test_the_npz_of_another_byte_order_is_refused(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "states.npz")
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **{n: a.astype(">f8") for n, a in STATES.items()})
    path.write_bytes(buffer.getvalue())
    assert "array 'states' is >f8" in refusal(READERS["states.npz"], path)
