"""artifacts: what is written comes back, in the same bytes each time, and odd files are named."""

import json
import os
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from matplotlib.figure import Figure

from pipeline import artifacts
from pipeline.artifacts import ArtifactError

SCHEMA = {"states": "float64 trajectory time 2", "omega0": "float64 trajectory"}
STATES = {"states": np.arange(24.0).reshape(3, 4, 2), "omega0": np.ones(3)}
TABLE = pd.DataFrame({"model": ["a", "b"], "seed": [0, 1], "loss": [1 / 3, 1e-17]})
CONTENT = {"O3": {"gamma_0": {"error": 1e-5, "n": 5}}}
folder_reused = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


def drawing() -> Figure:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1, 2], [1.0, 0.5, 0.7], label="x")
    axes.fill_between([0, 1, 2], 0.2, 0.4)
    axes.legend()
    return figure


WRITERS: dict[str, Callable[[Path], None]] = {
    "states.npz": lambda path: artifacts.write_npz(path, **STATES),
    "table.csv": lambda path: artifacts.write_csv(path, TABLE),
    "metrics.json": lambda path: artifacts.write_json(path, CONTENT),
    "figure.png": lambda path: artifacts.write_figure(path, drawing()),
    "figure.svg": lambda path: artifacts.write_figure(path, drawing()),
}
READERS: dict[str, Callable[[Path], Any]] = {
    "states.npz": lambda path: artifacts.read_npz(path, **SCHEMA),
    "table.csv": lambda path: artifacts.read_csv(path, list(TABLE)),
    "metrics.json": artifacts.read_json,
}


def stage_file(folder: Path, name: str) -> Path:
    path = folder / "some_stage" / name
    path.parent.mkdir(exist_ok=True)
    return path


def refusal(read: Callable[[Path], Any], path: Path) -> str:
    """The one line that refuses a file: it names stage, file and the way out."""
    with pytest.raises(ArtifactError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"some_stage/{path.name}: ")
    assert message.endswith("; remake it: dvc repro -f -s some_stage")
    assert len(message.splitlines()) == 1
    return message


@given(
    array=arrays.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.bool_, np.complex128]),
        arrays.array_shapes(min_dims=0, min_side=0),
    )
)
@folder_reused
def test_any_array_comes_back_bit_for_bit(tmp_path: Path, array: Any) -> None:
    path = stage_file(tmp_path, "any.npz")
    artifacts.write_npz(path, values=array)
    axes = " ".join(str(size) for size in np.shape(array))
    found = artifacts.read_npz(path, values=f"{array.dtype} {axes}")["values"]
    assert found.dtype == array.dtype
    assert found.tobytes() == array.tobytes()


def test_names_and_tensors_come_back(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "names.npz")
    values = torch.arange(6.0, dtype=torch.float64, requires_grad=True).reshape(2, 3)
    artifacts.write_npz(path, names=np.array(["dmd", "γ_0"]), values=values)
    assert list(artifacts.read_npz(path, names="str model")["names"]) == ["dmd", "γ_0"]
    found = artifacts.read_tensors(path, values="float64 model 3")["values"]
    assert torch.equal(found, values.detach())


def test_a_table_keeps_all_digits(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "table.csv")
    artifacts.write_csv(path, TABLE)
    pd.testing.assert_frame_equal(
        artifacts.read_csv(path, ["model", "loss"]), TABLE, check_exact=True
    )


def test_json_comes_back(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "metrics.json")
    artifacts.write_json(path, CONTENT)
    assert artifacts.read_json(path) == CONTENT


def test_a_figure_is_a_png_and_an_svg(tmp_path: Path) -> None:
    artifacts.write_figure(stage_file(tmp_path, "o3"), drawing())
    assert stage_file(tmp_path, "o3.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in stage_file(tmp_path, "o3.svg").read_bytes()


@pytest.mark.parametrize("name", list(WRITERS))
def test_writing_twice_gives_the_same_bytes(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "a" / name, tmp_path / "b" / name
    WRITERS[name](first)
    monkeypatch.setattr("time.time", lambda: 2e9)  # another day
    WRITERS[name](second)
    assert first.read_bytes() == second.read_bytes()


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


def test_objects_are_not_written(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "states.npz")
    with pytest.raises(ValueError, match="[Oo]bject"):
        artifacts.write_npz(path, values=np.array([{"an": "object"}]))
    assert list(path.parent.iterdir()) == []


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


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), np.float64("nan")])
def test_a_number_that_is_not_finite_is_refused_with_its_key(tmp_path: Path, value: float) -> None:
    path = stage_file(tmp_path, "metrics.json")
    with pytest.raises(ValueError, match=r"metrics\.json: O3\.gamma_0\.errors\[1\] is -?(nan|inf)"):
        artifacts.write_json(path, {"O3": {"gamma_0": {"errors": [1.0, value]}}})
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("name", list(WRITERS))
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stage_file(tmp_path, name)
    WRITERS[name](path)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        WRITERS[name](path)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("name", list(WRITERS))
def test_a_disk_that_fills_up_leaves_the_old_file(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stage_file(tmp_path, name)
    WRITERS[name](path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "getpid", lambda: 1)
    path.with_name(f".{name}.1").symlink_to("/dev/full")  # where the temporary file will be
    with pytest.raises(OSError, match="No space left"):
        WRITERS[name](path)
    assert path.read_bytes() == before
    assert not path.with_name(f".{name}.1").is_symlink()


def test_an_interrupted_block_writes_nothing(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "metrics.json")
    with pytest.raises(KeyboardInterrupt), artifacts.atomic(path) as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert list(path.parent.iterdir()) == []


def test_the_npz_of_another_byte_order_is_refused(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "states.npz")
    buffer = BytesIO()
    np.savez(buffer, allow_pickle=False, **{n: a.astype(">f8") for n, a in STATES.items()})
    path.write_bytes(buffer.getvalue())
    assert "array 'states' is >f8" in refusal(READERS["states.npz"], path)
