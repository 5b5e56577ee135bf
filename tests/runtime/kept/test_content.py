"""The hash of a value: the same for the same content, another for any that a function could see."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from work import LinearCell, train_linear

from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.training.sampling import generators
from pipeline.runtime.kept.content import ContentError, Digest


@dataclass(frozen=True)
class Pair:
    first: Any
    second: Any


@dataclass(frozen=True)
class Couple:
    first: Any
    second: Any


def of(value: Any) -> str:
    return Digest().of(value)


def model(seed: int = 0) -> LinearWindow:
    return LinearWindow(LinearWindowConfig(window=2, d_in=1, d_out=1), generators([seed]))


def equal_values() -> list[tuple[Any, Any]]:
    x = torch.arange(6.0).view(2, 3)
    return [
        (Pair(1, [2.0]), Pair(1, [2.0])),
        (x, x.T.contiguous().T),  # strides are no content
        (x[1], torch.tensor([3.0, 4.0, 5.0])),
        (np.arange(3), np.arange(6)[::2] // 2),
        (model(), model()),
        (LinearCell("a", [1]), LinearCell("a", [1])),
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}),
        (float("nan"), float("nan")),
        (train_linear, train_linear),
    ]


@pytest.mark.parametrize(("one", "other"), equal_values())
def test_the_same_content_has_the_same_hash(one: Any, other: Any) -> None:
    assert of(one) == of(other)


def different_values() -> list[tuple[Any, Any]]:
    x = torch.arange(4.0)
    return [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ("1", 1),
        ("ab", b"ab"),
        (("ab", "c"), ("a", "bc")),
        ((1, (2,)), ((1, 2),)),
        ([1, 2], (1, 2)),
        ([1, 2], [2, 1]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (None, "None"),
        (Pair(1, 2), Couple(1, 2)),
        (Pair(1, 2), Pair(2, 1)),
        (x, x.double()),
        (x, x.view(2, 2)),
        (x, x.numpy()),
        (x, torch.nextafter(x, x + 1)),
        (torch.zeros(0), torch.zeros(0, 2)),
        (np.float64(1), 1.0),
        (model(0), model(1)),
        (model(), model().double()),
        (model(), model().eval()),
        (LinearCell("a", [1]), replace(LinearCell("a", [1]), seeds=[1, 2])),
        (train_linear, of),
        (LinearWindow, LinearWindowConfig),
    ]


@pytest.mark.parametrize(("one", "other"), different_values())
def test_another_content_has_another_hash(one: Any, other: Any) -> None:
    assert of(one) != of(other)


def test_an_array_that_is_shared_is_told_apart_from_its_parts() -> None:
    x = torch.arange(8.0)
    digest = Digest()
    hashes = [digest.of(part) for part in (x, x[:4], x.view(2, 4), x.view(torch.int32), x[::2])]
    assert len(set(hashes)) == 5
    assert digest.of(x.clone()) == hashes[0]


def test_it_remembers_whose_code_it_met() -> None:
    digest = Digest()
    digest.of((train_linear, LinearCell("a", [1]), model()))
    assert {"work", "pipeline.core.nn.linear"} <= digest.modules


@pytest.mark.parametrize("value", [object(), lambda: 1, iter([]), np.array([object()])])
def test_what_has_no_content_to_tell_is_refused(value: Any) -> None:
    with pytest.raises(ContentError, match=r"content that can be told|has no name of its own"):
        of([value])
