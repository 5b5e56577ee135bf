"""Results as bytes: they come back with every bit, type and class, and nothing else comes back."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from labs.memory import small_models
from work import LinearCell, train_linear

from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.training.ensemble import History
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.models.attention import AttentionMemory, FreezeConfig
from pipeline.runtime.kept.content import Digest
from pipeline.runtime.kept.encoding import EncodingError, decode, encode


@dataclass(frozen=True)
class Measured:
    values: dict[int, torch.Tensor]
    note: str | None


class Both(NamedTuple):
    model: LinearWindow
    measures: dict[str, torch.Tensor]


def model(dtype: torch.dtype = torch.float32) -> LinearWindow:
    config = LinearWindowConfig(window=2, d_in=1, d_out=1)
    return LinearWindow(config, generators([0, 1])).to(dtype)


def values() -> list[Any]:
    shared = torch.arange(6.0)
    return [
        None,
        [1, 2.5, "text", True, -0.0, 1e-308, 2**80],
        (1, (2, [3])),
        {1: "a", "b": {(1, 2): 3.0}},
        [shared, shared[2:], shared.view(2, 3).T],
        torch.tensor([math.nan, -math.inf, -0.0], dtype=torch.float64),
        [torch.tensor([True]), torch.arange(3), torch.zeros(0, 2), torch.tensor(1.0)],
        [np.arange(3.0), np.float64(0.1), np.int64(3), np.bool_(True)],
        Measured({4: torch.ones(2)}, None),
        Both(model(torch.float64), {"loss": torch.rand(2)}),
        History([1, 2], {"loss": torch.zeros(2, 1)}),
        LinearWindowConfig(window=3, d_in=2, d_out=1),
        train_linear(LinearCell("a", [0, 1]), lambda: None),
    ]


@pytest.mark.parametrize("value", values())
def test_a_result_comes_back_with_every_bit(value: Any) -> None:
    found = decode(encode(value))
    assert type(found) is type(value)
    assert Digest().of(found) == Digest().of(value)


def test_not_finite_numbers_come_back() -> None:
    found = decode(encode([math.inf, -math.inf, math.nan]))
    assert found[:2] == [math.inf, -math.inf]
    assert math.isnan(found[2])


def test_a_model_comes_back_with_its_frozen_parameters_and_its_precision() -> None:
    freeze = FreezeConfig(E=True, P=False, QKV=False, O=True, U=False)
    written = AttentionMemory(small_models.config(freeze=freeze), generators([3])).double()
    found = decode(encode(written))
    assert found.config == written.config
    for (name, ours), theirs in zip(found.named_parameters(), written.parameters(), strict=True):
        assert ours.requires_grad == theirs.requires_grad, name
        assert ours.dtype == theirs.dtype == torch.float64
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("value", [object(), {1, 2}, model, LinearWindow, b"bytes"])
def test_what_cannot_be_kept_is_refused(value: Any) -> None:
    with pytest.raises(EncodingError, match=r"a cell's result holds a .*, which cannot be kept"):
        encode([value])


def forged(content: bytes, old: str, new: str) -> bytes:
    assert old.encode() in content
    changed = content[8:].replace(old.encode(), new.encode())
    grown = len(changed) - len(content) + 8
    return (int.from_bytes(content[:8], "little") + grown).to_bytes(8, "little") + changed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Measured", "Popen"),
        (f"{__name__}", "subprocess"),
        ("dataclass", "named"),
        ("note", "noot"),
    ],
)
def test_bytes_never_choose_what_else_is_made(old: str, new: str) -> None:
    content = encode(Measured({}, "x"))
    with pytest.raises(EncodingError):
        decode(forged(content, old, new))


@pytest.mark.parametrize("kept", [0, 7, 8, 40, -1])
def test_cut_bytes_are_no_result(kept: int) -> None:
    with pytest.raises(EncodingError, match="no result of a cell"):
        decode(encode([torch.ones(5)])[:kept])
