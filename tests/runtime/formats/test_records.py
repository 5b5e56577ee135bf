"""records: a file comes back as the class that wrote it, or is refused in one line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from artifact_files import Row, refusal, stage_file
from jaxtyping import Float64, Int64
from pydantic import BaseModel
from torch import Tensor

from pipeline.runtime.formats import artifacts, records


@dataclass(frozen=True)
class Rollouts:
    states: Float64[Tensor, "trajectory time 2"]
    omega0: Float64[Tensor, " trajectory"]
    n: Int64[np.ndarray, " trajectory"]
    model: tuple[str, ...]


class Best(BaseModel):
    model: str
    cutoff: float


def rollouts(**changes: Any) -> Rollouts:
    arrays: dict[str, Any] = {
        "states": torch.arange(24.0, dtype=torch.float64).view(3, 4, 2),
        "omega0": torch.ones(3, dtype=torch.float64),
        "n": np.arange(3),
        "model": ("a", "b"),
    }
    return Rollouts(**arrays | changes)


TABLE = pd.DataFrame({
    "loss": [1 / 3, 1e-17], "model": ["a", "1"], "seed": [0, 1], "solved": [True, False],
    "limit": [0.5, None],
})  # fmt: skip


COLUMNS = ["model", "seed", "loss", "solved", "limit"]


def arrays_file(folder: Path) -> Path:
    return stage_file(folder, "rollouts.npz")


def read_rollouts(path: Path) -> Rollouts:
    return records.read_arrays(path, Rollouts)


def read_rows(path: Path) -> pd.DataFrame:
    return records.read_table(path, Row)


def read_best(path: Path) -> Best:
    return records.read_json(path, Best)


def test_arrays_come_back_in_their_kinds_bit_for_bit(tmp_path: Path) -> None:
    path, written = arrays_file(tmp_path), rollouts()
    records.write_arrays(path, written)
    found = read_rollouts(path)
    assert isinstance(found.states, Tensor)
    assert isinstance(found.n, np.ndarray)
    assert torch.equal(found.states, written.states)
    assert torch.equal(found.omega0, written.omega0)
    assert (list(found.n), found.model) == ([0, 1, 2], ("a", "b"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"states": torch.zeros(3, 4, 2)}, "Rollouts.states is float32 (3, 4, 2), expected "),
        ({"omega0": torch.zeros(3, 1).double()}, "Rollouts.omega0 is float64 (3, 1), expected "),
        ({"n": np.arange(3.0)}, "Rollouts.n is float64 (3,), expected int64 (trajectory)"),
    ],
)  # fmt: skip
def test_arrays_that_are_not_as_annotated_are_not_written(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    record = rollouts()
    for name, value in changes.items():
        object.__setattr__(record, name, value)  # past the annotations, as outside of tests
    with pytest.raises(TypeError) as refused:
        records.write_arrays(arrays_file(tmp_path), record)
    assert str(refused.value).startswith(message)
    assert not arrays_file(tmp_path).exists()


GOOD = {
    "states": np.zeros((3, 4, 2)), "omega0": np.ones(3), "n": np.arange(3),
    "model": np.array(["a"]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"omega0": None}, "has no array 'omega0', only ['model', 'n', 'states']"),
        ({"states": np.zeros((3, 4))}, "array 'states' is float64 (3, 4), expected float64 (t"),
        ({"states": np.zeros((3, 4, 3))}, "array 'states' is float64 (3, 4, 3), expected float64"),
        ({"states": np.zeros((3, 4, 2), "f4")}, "array 'states' is float32 (3, 4, 2), expected "),
        ({"omega0": np.ones(5)}, "array 'omega0' is float64 (5,), expected float64 (trajectory=3)"),
        ({"n": np.arange(3.0)}, "array 'n' is float64 (3,), expected int64 (trajectory=3)"),
        ({"model": np.array([1])}, "array 'model' is int64 (1,), expected str (model"),
        ({"model": np.array("a")}, "array 'model' is <U1 (), expected str (model)"),
    ],
)
def test_arrays_that_are_not_as_annotated_are_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    arrays = {name: a for name, a in (GOOD | changes).items() if a is not None}
    artifacts.write_npz(arrays_file(tmp_path), **arrays)
    assert message in refusal(read_rollouts, arrays_file(tmp_path))


def test_a_table_comes_back_in_the_class_s_order(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "table.csv")
    records.write_table(path, TABLE, Row)
    found = read_rows(path)
    assert list(found) == COLUMNS
    assert list(found.loss) == list(TABLE.loss)
    assert list(found.solved) == [True, False]
    assert found.limit.isna().tolist() == [False, True]


@pytest.mark.parametrize("table", [TABLE.drop(columns="loss"), TABLE.assign(more=1)])
def test_a_table_of_other_columns_is_not_written(tmp_path: Path, table: pd.DataFrame) -> None:
    path = stage_file(tmp_path, "table.csv")
    with pytest.raises(TypeError, match=r"^table\.csv: columns are \[.*\], expected \['model', "):
        records.write_table(path, table, Row)
    assert not path.exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": None}, "has no column 'loss', only ['model', 'seed', 'solved', 'limit']"),
        ({"loss": [0.5, np.nan]}, "column 'loss' has an empty cell"),
        ({"model": ["a", None]}, "column 'model' has an empty cell"),
        ({"loss": ["x", 1]}, "column 'loss' is "),
        ({"limit": ["x", 1]}, "column 'limit' is "),
        ({"seed": [0.5, 1]}, "column 'seed' is float64, expected whole numbers"),
        ({"seed": ["x", 1]}, "expected whole numbers"),
        ({"solved": [2, 0]}, "column 'solved' is int64, expected true or false"),
    ],
)
def test_a_table_whose_columns_are_not_as_the_class_says_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    columns = {name: c for name, c in (dict(TABLE[COLUMNS]) | changes).items()
               if c is not None}  # fmt: skip
    path = stage_file(tmp_path, "table.csv")
    artifacts.write_csv(path, pd.DataFrame(columns))
    assert message in refusal(read_rows, path)


def test_a_table_without_rows_is_a_table(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "table.csv")
    records.write_table(path, TABLE[:0], Row)
    assert len(read_rows(path)) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"model": "a"}', "cutoff: Field required"),
        ('{"model": 3, "cutoff": 1}', "model: Input should be a valid string"),
        ('{"model": "a", "cutoff": "x"}', "cutoff: Input should be a valid number"),
        ("[]", "the file: Input should be an object"),
        ("", "is truncated or not a json file"),
        ('{"model": ', "is truncated or not a json file"),
    ],
)
def test_json_that_is_not_as_the_class_says_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    path = stage_file(tmp_path, "best.json")
    path.write_text(text)
    assert message in refusal(read_best, path)


def test_json_is_read_as_any_type_that_can_be_checked(tmp_path: Path) -> None:
    path = stage_file(tmp_path, "best.json")
    artifacts.write_json(path, {"model": "a", "cutoff": 1e-8})
    assert read_best(path) == Best(model="a", cutoff=1e-8)
    artifacts.write_json(path, {"a": [{"model": "a", "cutoff": 1}]})
    assert records.read_json(path, dict[str, list[Best]])["a"][0].cutoff == 1
    assert "a.0: Input should be" in refusal(
        lambda path: records.read_json(path, dict[str, list[int]]), path
    )


@pytest.mark.parametrize(
    ("read", "name", "junk"),
    [
        (read, name, junk)
        for read, name in (
            (read_rollouts, "rollouts.npz"), (read_rows, "table.csv"), (read_best, "best.json"),
        )
        for junk in (None, b"", b"\x00 of another program", b"PK\x03\x04")
    ],
)  # fmt: skip
def test_a_missing_or_foreign_file_is_refused_by_every_reader(
    tmp_path: Path, read: Any, name: str, junk: bytes | None
) -> None:
    path = stage_file(tmp_path, name)
    if junk is not None:
        path.write_bytes(junk)
    message = refusal(read, path)
    assert ("is missing" in message) == (junk is None)
