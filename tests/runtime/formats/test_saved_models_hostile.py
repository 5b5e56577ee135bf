"""saved_models: a file that is made to mislead is refused before it costs memory or runs code."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from artifact_files import refusal, stage_file
from safetensors.torch import save

from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.nn.transformer import Transformer
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.models.attention import ShapeConfig
from pipeline.runtime.formats import saved_models

CLASS = "pipeline.core.nn.linear.LinearWindow"
CONFIG = {"window": 3, "d_in": 2, "d_out": 2}
LINEAR = LinearWindow(LinearWindowConfig(**CONFIG), generators([0]))
STATE = {f"m/{key}": tensor.contiguous() for key, tensor in LINEAR.state_dict().items()}


def read(path: Path) -> Any:
    return saved_models.read_models(path, LinearWindow, Transformer)


def described(**changes: Any) -> str:
    return json.dumps({"m": {"class": CLASS, "config": CONFIG, "members": 1} | changes})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return stage_file(tmp_path, "m.safetensors")


def test_the_file_that_the_others_are_made_from_is_sound(path: Path) -> None:
    path.write_bytes(save(STATE, {"models": described()}))
    assert read(path)["m"].config == LINEAR.config


SHAPE = ShapeConfig(d_model=4, d_head=2, n_layers=2, causal=True).transformer.model_dump()
TERABYTES = {
    "class": "pipeline.core.nn.transformer.Transformer",
    "config": SHAPE | {"d_model": 4096, "d_mlp": 10**5},
    "members": 1000,
}


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (described(**TERABYTES), ""),
        (described(config=CONFIG | {"window": 4096, "d_in": 4096}), "do not fit it (map.W is"),
        (described(members=2), "parameters of m do not fit it (map.W is (1, 6, 2), expected (2"),
        (described(members=10**12), ""),
        (described(members=0), ""),
        (described(members="9" * 5000), ""),
        (described(config=CONFIG | {"window": -1}), ""),
        (described(config=CONFIG | {"Q" * 9999: 1}), ""),
        (described(config=[]), "dict"),
        (described(**{"class": "os.system"}), "m is a os.system, expected LinearWindow or Tr"),
        (described(**{"class": "pipeline.core.nn.linear.__builtins__"}), "expected LinearWindow"),
        (described(**{"class": "Q" * 99_999 + "\n\x1b[31m"}), "expected LinearWindow"),
        (described(**{"class": None}), ""),
        ("{}", "names no models"),
        ("[]", "dict"),
        ("NaN", "NaN is no number"),
        ("{", ""),
        ("[" * 100_000, "too many lists"),
        (described()[:-1] + "," + described()[1:], "the key 'm' stands twice"),
        (json.dumps({"n": json.loads(described())["m"]}), "map.W is missing"),
        (json.dumps({"../m": json.loads(described())["m"]}), "parameters of ../m do not fit it"),
    ],
)  # fmt: skip
def test_a_description_that_is_not_of_its_parameters_is_refused(
    path: Path, metadata: str, message: str
) -> None:
    path.write_bytes(save(STATE, {"models": metadata}))
    found = refusal(read, path)
    assert message in found
    assert found.isprintable()
    assert found.count("Q") <= 300


def raw(header: Any, body: bytes = b"\0" * 8, size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + body


def tensor(dtype: str = "F64", shape: Any = (1,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    "content",
    [
        raw({"m/a": tensor()}, size=2**60),
        raw({"m/a": tensor()}, size=2**64 - 1),
        raw({"m/a": tensor()}, size=0),
        raw({"m/a": tensor(offsets=(0, 16))}),
        raw({"m/a": tensor(offsets=(8, 0))}),
        raw({"m/a": tensor(offsets=(0, 2**63))}),
        raw({"m/a": tensor(offsets=(-8, 0))}),
        raw({"m/a": tensor(), "m/b": tensor()}),  # the same bytes
        raw({"m/a": tensor(), "m/b": tensor(offsets=(4, 12))}, b"\0" * 12),
        raw({"m/a": tensor(offsets=(8, 16))}, b"\0" * 16),  # a hole before it
        raw({"m/a": tensor()}, b"\0" * 9),
        raw({"m/a": tensor("F1024")}),
        raw({"m/a": tensor(shape=(2**62, 4))}),
        raw({"m/a": tensor(shape=(-1,))}),
        raw({"m/a": tensor(shape=())}, b""),
        raw({"m/a": 1}),
        raw([]),
        raw(b"{" * 50_000),
        raw(b"\xff\xfe"),
        b"",
        b"\0" * 7,
    ],
)
def test_a_header_that_is_not_of_its_bytes_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is truncated or not a safetensors file" in refusal(read, path)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64])
def test_parameters_that_are_no_numbers_of_a_model_are_refused(
    path: Path, dtype: torch.dtype
) -> None:
    state = {key: tensor.to(dtype) for key, tensor in STATE.items()}
    path.write_bytes(save(state, {"models": described()}))
    assert "expected one floating-point type" in refusal(read, path)
