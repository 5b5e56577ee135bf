"""Damaged and foreign files: each reader gives what was written, or refuses in one line.

A safetensors file has no checksum, and a digit that is changed in a table or in JSON is another
number: there what is read must be of the right kind, and writing it again and reading it gives the
same. That the bytes are those that DVC recorded is what its md5 is for.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pandas as pd
import pytest
import torch
from artifact_files import Row
from hypothesis import strategies as st
from jaxtyping import Float64
from torch import Tensor

from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.training.sampling import generators
from pipeline.runtime.files import ArtifactError
from pipeline.runtime.formats import artifacts, model_list, records, saved_models
from soak.frame import Soak
from soak.fuzz_bytes import damaged

LINE = 1000  # characters of a message: of foreign text, of the way out


@dataclass(frozen=True)
class Arrays:
    states: Float64[Tensor, "trajectory time"]
    n: Float64[np.ndarray, " trajectory"]
    model: tuple[str, ...]


ARRAYS = Arrays(torch.arange(6.0, dtype=torch.float64).view(3, 2), np.ones(3), ("a", "b"))
TABLE = pd.DataFrame({
    "model": ["NA", "1"], "seed": [0, 1], "loss": [1 / 3, 1e-17], "solved": [True, False],
    "limit": [0.5, None],
})  # fmt: skip
CONTENT = {"O3": {"gamma_0": {"error": 1e-5, "n": 5}}, "list": [1, None, True, "text"]}
ENTRY = {
    "name": "O5.model.seed_0",
    "params": {"n_layers": 8},
    "metrics": {"loss": 0.01, "other": None},
    "history": {"file": "history.csv", "where": {"model": "model", "seed": 0}},
    "model": {"file": "models.safetensors", "name": "model", "member": 0},
    "register": "a_model",
    "example": [[[0.0, 1.0]]],
}
CONFIG = LinearWindowConfig(window=3, d_in=2, d_out=2)


def write_models(path: Path) -> None:
    models = {name: LinearWindow(CONFIG, generators([0, 1])) for name in ("a", "a/b")}
    saved_models.write_models(path, models)


def same_arrays(path: Path, found: Arrays) -> None:
    """A zip has a checksum of each member: what is read is what was written."""
    assert torch.equal(found.states, ARRAYS.states)
    assert np.array_equal(found.n, ARRAYS.n)
    assert found.model == ARRAYS.model


def same_table(path: Path, found: pd.DataFrame) -> None:
    assert all(isinstance(model, str) for model in found.model)
    records.write_table(path, found, Row)
    again = records.read_table(path, Row)
    assert again.fillna(-1).to_numpy().tolist() == found.fillna(-1).to_numpy().tolist()


def same_json(path: Path, found: Any) -> None:
    if isinstance(found, dict | list):
        artifacts.write_json(path, found)
        assert artifacts.read_json(path) == found


def same_list(path: Path, found: list[model_list.ModelEntry]) -> None:
    artifacts.write_json(path, model_list.content(found))
    assert model_list.read(path) == found
    for entry in found:
        for part in (entry.history, entry.model):
            assert part is None or (path.parent / part.file).parent == path.parent


def same_models(path: Path, found: dict[str, LinearWindow]) -> None:
    saved_models.write_models(path, found)
    again = saved_models.read_models(path, LinearWindow)
    assert list(again) == list(found)
    for name, model in found.items():
        assert again[name].config == model.config
        for key, tensor in model.state_dict().items():
            assert again[name].state_dict()[key].numpy().tobytes() == tensor.numpy().tobytes()


@dataclass(frozen=True)
class Kind:
    """A file of data/: how it is written and read, and what must hold of what is read."""

    name: str
    write: Callable[[Path], None]
    read: Callable[[Path], Any]
    same: Callable[[Path, Any], None]


KINDS = [
    Kind("a.npz", lambda path: records.write_arrays(path, ARRAYS),
         lambda path: records.read_arrays(path, Arrays), same_arrays),
    Kind("b.csv", lambda path: records.write_table(path, TABLE, Row),
         lambda path: records.read_table(path, Row), same_table),
    Kind("c.json", lambda path: artifacts.write_json(path, CONTENT), artifacts.read_json,
         same_json),
    Kind("models.json", lambda path: artifacts.write_json(path, [ENTRY]), model_list.read,
         same_list),
    Kind("e.safetensors", write_models,
         lambda path: saved_models.read_models(path, LinearWindow), same_models),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_damaged_file_is_read_right_or_refused_in_one_line(
    soak: Soak, tmp_path: Path, kind: Kind
) -> None:
    path = tmp_path / "data" / "some_stage" / kind.name
    path.parent.mkdir(parents=True)
    kind.write(path)
    kind.same(path, kind.read(path))
    kind.write(path)
    sound = path.read_bytes()

    @hypothesis.seed(soak.seed)
    @hypothesis.settings(
        max_examples=soak.rounds(short=60, long=5000), deadline=None, database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(damaged(sound))
    def holds(content: bytes) -> None:
        path.write_bytes(content)
        try:
            found = kind.read(path)
        except ArtifactError as error:
            message = str(error)
            assert message.startswith(f"some_stage/{kind.name}: ")
            assert "; restore it: dvc checkout -f data/some_stage/" in message
            assert message.isprintable()
            assert len(message) < LINE
            soak.tell(files=1, refused=1, accepted=0)
            return
        soak.tell(files=1, refused=0, accepted=1)
        kind.same(path, found)

    holds()
    assert {file.name for file in tmp_path.rglob("*")} == {"data", "some_stage", kind.name}


def test_any_arrays_come_back_bit_for_bit(soak: Soak, tmp_path: Path) -> None:
    path = tmp_path / "some_stage" / "any.npz"
    bits = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30)

    @hypothesis.seed(soak.seed)
    @hypothesis.settings(
        max_examples=soak.rounds(short=20, long=2000), deadline=None, database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(bits)
    def holds(content: list[int]) -> None:
        array = np.array(content, dtype=np.uint64).view(np.float64)  # every NaN, zero and denormal
        artifacts.write_npz(path, a=array)
        assert artifacts.read_npz(path, a="float64 n")["a"].tobytes() == array.tobytes()
        buffer = io.BytesIO()
        np.savez_compressed(buffer, a=array)
        path.write_bytes(buffer.getvalue())
        with pytest.raises(ArtifactError, match="is compressed"):
            artifacts.read_npz(path, a="float64 n")
        soak.tell(files=2, differences=0)

    holds()
