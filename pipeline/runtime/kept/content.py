"""One hash of a value's whole content: configurations, tensors, models, and what holds them.

Two values have the same hash if a pure function could not tell them apart: by type, by order, and
by every bit of every number.
"""

import hashlib
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel

PLAIN = (bool, int, str, type(None))


class ContentError(TypeError):
    """A value holds something whose content cannot be told; the message names its type."""


class Digest:
    """Hashes values; an array that many of them share is read once.

    ``modules`` collects the modules of all classes and functions that were met: their code decides
    what a function makes of the values.
    """

    def __init__(self) -> None:
        self.modules: set[str] = set()
        # The array is held, so that no other takes its place, and its address, meanwhile.
        self._seen: dict[tuple[Any, ...], tuple[object, bytes]] = {}

    def of(self, value: Any) -> str:
        """Return the hash of a value; ContentError if it holds what has no content to tell."""
        return self._hash(value).hex()

    def _hash(self, value: Any) -> bytes:
        tag, parts = self._parts(value)
        digest = hashlib.sha256(tag.encode())
        for part in parts:
            digest.update(struct.pack("<Q", len(part)))  # ("ab", "c") is not ("a", "bc")
            digest.update(part)
        return digest.digest()

    def _parts(self, value: Any) -> tuple[str, list[bytes]]:
        """Return the type's name and the content, piece by piece."""
        if type(value) is float:  # -0.0 is not 0.0, and all bits of a nan count
            return "float", [struct.pack("<d", value)]
        if isinstance(value, bytes):
            return type(value).__name__, [value]
        if isinstance(value, PLAIN):
            return type(value).__name__, [repr(value).encode()]
        if isinstance(value, torch.Tensor):
            return "tensor", [self._once(value, _tensor_bytes)]
        if isinstance(value, np.ndarray | np.generic):
            return "array", [self._once(value, _array_bytes)]
        if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
            return "name", [self._name(value).encode()]
        if isinstance(value, partial):
            return "partial", [
                self._hash(part) for part in (value.func, value.args, value.keywords)
            ]
        return self._name(type(value)), [self._hash(part) for part in _members(value)]

    def _name(self, value: Any) -> str:
        name = f"{value.__module__}.{value.__qualname__}"
        if "<" in name:  # a lambda, a function inside another: its name does not tell its code
            raise ContentError(f"{name} has no name of its own, so its code cannot be told")
        self.modules.add(value.__module__)
        return name

    def _once(self, value: Any, content: Callable[[Any], bytes]) -> bytes:
        if not value.nbytes or isinstance(value, np.generic):
            return content(value)  # without an address of its own
        key: tuple[Any, ...]
        if isinstance(value, torch.Tensor):
            key = (value.data_ptr(), value.dtype, tuple(value.shape), value.stride())
        else:
            key = (value.ctypes.data, value.dtype, value.shape, value.strides)
        if key not in self._seen:
            self._seen[key] = (value, content(value))
        return self._seen[key][1]


def _tensor_bytes(value: torch.Tensor) -> bytes:
    plain = value.detach().cpu().contiguous()
    head = f"{plain.dtype} {tuple(plain.shape)} ".encode()
    return hashlib.sha256(head + plain.flatten().view(torch.uint8).numpy().tobytes()).digest()


def _array_bytes(value: Any) -> bytes:
    if value.dtype.hasobject:
        raise ContentError("an array of Python objects has no content that can be told")
    plain = np.ascontiguousarray(value)
    return hashlib.sha256(f"{plain.dtype.str} {value.shape} ".encode() + plain.tobytes()).digest()


def _members(value: Any) -> Sequence[Any]:
    """Return what a structured value is made of, in an order of its own."""
    if isinstance(value, Enum):
        return [value.name]
    if isinstance(value, torch.nn.Module):
        config = getattr(value, "config", None)
        return [config, value.training, dict(value.state_dict())]
    if isinstance(value, BaseModel):
        return [getattr(value, name) for name in type(value).model_fields]
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, Mapping):
        return [part for item in value.items() for part in item]
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    raise ContentError(f"a {type(value).__qualname__} has no content that can be told")
