"""Every reader of data/: what is no file, or too large for one, is refused without reading it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from artifact_files import Row, refusal, stage_file
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import Float64

from pipeline.core.nn.linear import LinearWindow
from pipeline.runtime import files
from pipeline.runtime.files import plain_name
from pipeline.runtime.formats import artifacts, model_list, records, saved_models


@dataclass(frozen=True)
class Arrays:
    a: Float64[np.ndarray, " n"]


READERS: dict[str, Callable[[Path], Any]] = {
    "a.npz": lambda path: records.read_arrays(path, Arrays),
    "b.csv": lambda path: records.read_table(path, Row),
    "c.json": lambda path: records.read_json(path, dict[str, int]),
    "d.json": artifacts.read_json,
    "models.json": model_list.read,
    "e.safetensors": lambda path: saved_models.read_models(path, LinearWindow),
}


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "dangling link", "link to itself"])
@pytest.mark.parametrize("name", list(READERS))
def test_what_is_no_file_is_refused_without_waiting_for_it(
    tmp_path: Path, name: str, kind: str
) -> None:
    path = stage_file(tmp_path, name)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to({"device": "/dev/zero", "dangling link": "nowhere"}.get(kind, path.name))
    with files.recording() as record:
        assert f"some_stage/{name}: is no file; " in refusal(READERS[name], path)
    assert record == {}


@pytest.mark.parametrize("name", list(READERS))
def test_a_file_of_10_gigabytes_is_refused_before_it_is_read(tmp_path: Path, name: str) -> None:
    path = stage_file(tmp_path, name)
    path.touch()
    os.truncate(path, 10**10)  # a hole: it takes no disk
    with files.recording() as record:
        assert "has 10000000000 bytes, at most " in refusal(READERS[name], path)
    assert record == {}  # its md5 alone would take half a minute


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_the_md5_of_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = stage_file(tmp_path, "x.npz")
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    assert "is no file" in refusal(files.md5, path)


WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8
) | st.sampled_from(["NA", "nan", "null", "None", "1", "1.0", "true", "0x1", "-inf", ",", '"', "'"])


@given(
    st.lists(
        st.tuples(
            WORDS,
            st.integers(-(2**63), 2**63 - 1),
            st.floats(allow_nan=False),
            st.booleans(),
            st.none() | st.floats(allow_nan=False),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_table_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "b.csv"
    table = pd.DataFrame(rows, columns=["model", "seed", "loss", "solved", "limit"])
    table["limit"] = table["limit"].astype("float64")
    records.write_table(path, table, Row)
    found = records.read_table(path, Row)
    assert found.limit.isna().tolist() == table.limit.isna().tolist()
    for name in ("model", "seed", "loss", "solved"):
        assert found[name].tolist() == table[name].tolist()
    assert found.limit.dropna().tolist() == table.limit.dropna().tolist()


HEADER = "model,seed,loss,solved,limit\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + 'a,1,"0,5",True,\n', "column 'loss' is "),
        (HEADER + "a,1,0,5,True,\n", "row 2 has 6 cells, expected 5"),
        (HEADER + "a,1,0.5,True\n", "row 2 has 4 cells, expected 5"),
        (HEADER + "\n", "row 2 has 0 cells"),
        (HEADER + "a,1,0.5,1,\n", "column 'solved' is int64, expected true or false"),
        (HEADER + "a,1,0.5,yes,\n", "column 'solved' is "),
        (HEADER + "a,True,0.5,True,\n", "column 'seed' is bool, expected whole numbers"),
        (HEADER + "a,1,True,True,\n", "column 'loss' is bool, expected numbers"),
        (HEADER + "a,inf,0.5,True,\n", "expected whole numbers"),
        (HEADER + "a," + "9" * 5000 + ",0.5,True,\n", "column 'seed' is "),
        (HEADER + "a,1,nan,True,\n", "column 'loss' is "),
        (HEADER + "a,1,0.5,True,\0\n", "it holds a zero byte"),
        (HEADER + 'a,1,0.5,True,"\n', "unexpected end of data"),
        (HEADER + 'a,1,0.5,True,"x"y\n', "expected after"),
        (HEADER + "Q" * 200_000 + ",1,0.5,True,\n", "field larger than field limit"),
        (HEADER.replace("limit", "loss") + "a,1,0.5,True,\n", "a column stands twice"),
        (HEADER.replace(",", ";") + "a;1;0.5;True;\n", "has no column 'model'"),
        ("\ufeff" + HEADER + "a,1,0.5,True,\n", "has no column 'model'"),
        ("\n" + HEADER, "row 2 has 5 cells, expected 0"),
        ("Q" * 100_000 + "\n", "has no column 'model'"),
        ("", "its last line has no end"),
        ("\n", "No columns to parse"),
    ],
)
def test_a_table_that_was_not_written_here_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    path = stage_file(tmp_path, "b.csv")
    path.write_text(text, encoding="utf-8")
    found = refusal(READERS["b.csv"], path)
    assert message in found
    assert found.count("Q") <= 300


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-8-sig"])
def test_a_table_of_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    path = stage_file(tmp_path, "b.csv")
    path.write_bytes((HEADER + "é,1,0.5,True,\n").encode(encoding))
    refusal(READERS["b.csv"], path)


@given(st.text(max_size=12) | st.sampled_from(["..", "a/../b", "~root", "C:x", "a" * 300, "a\0b"]))
def test_a_name_out_of_a_file_leads_to_a_file_beside_it_or_is_refused(name: str) -> None:
    folder = Path("/somewhere/data/stage")
    try:
        assert plain_name(name) == name
    except ValueError:
        return
    path = Path(os.path.normpath(folder / name))
    assert path.parent == folder
    assert path == folder / name
    assert len(os.fsencode(name)) <= 600
