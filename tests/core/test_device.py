"""moved: a value's tensors on another device."""

from dataclasses import dataclass

import torch

from pipeline.core.device import CPU, moved

OTHER = torch.device("meta")  # every build of torch has it


@dataclass(frozen=True)
class Inner:
    x: torch.Tensor
    absent: torch.Tensor | None


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner


def test_a_dataclass_is_moved_with_all_that_it_holds() -> None:
    value = Outer("a", Inner(torch.ones(2), None))
    there = moved(value, OTHER)
    assert there.inner.x.device == OTHER
    assert (there.name, there.inner.absent) == ("a", None)
    assert value.inner.x.device == CPU


def test_what_stands_there_already_is_not_copied() -> None:
    value = Inner(torch.ones(2), torch.zeros(3))
    assert moved(value, CPU).x is value.x


def test_what_is_no_tensor_is_returned_as_it_is() -> None:
    value = object()
    assert moved(value, OTHER) is value
    assert moved(Outer, OTHER) is Outer
