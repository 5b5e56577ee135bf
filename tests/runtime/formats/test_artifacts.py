"""artifacts: what is written comes back, in the same bytes each time, whole or not at all."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from artifact_files import CONTENT, TABLE, WRITERS, drawing, folder_reused, stage_file
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pipeline.runtime.formats import artifacts, drawings


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
    drawings.write_figure(stage_file(tmp_path, "o3"), drawing())
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


def test_an_interrupted_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stage_file(tmp_path, "metrics.json")

    def half(self: Path, text: str, encoding: str) -> None:
        self.write_bytes(text.encode(encoding)[:5])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(KeyboardInterrupt):
        artifacts.write_json(path, CONTENT)
    assert list(path.parent.iterdir()) == []


def test_objects_are_not_written(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "states.npz")
    with pytest.raises(ValueError, match=r"[Oo]bject"):
        artifacts.write_npz(path, values=np.array([{"an": "object"}]))
    assert list(path.parent.iterdir()) == []
