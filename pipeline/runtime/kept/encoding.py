"""A cell's result as bytes, and back: tensors, arrays, models, and the classes that hold them.

The bytes are one safetensors file with the structure as JSON beside the arrays. Nothing is pickled:
a class is named, and must be one that this process has imported and that is made of its fields
alone. A result looks the same after the way there and back whoever computed it, so fresh and kept
results are the same to the bit.
"""

import dataclasses
import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from safetensors.torch import load as read_tensors
from safetensors.torch import save as write_tensors

KEY = "result"  # of safetensors' metadata
Tensors = dict[str, torch.Tensor]


class EncodingError(TypeError):
    """A result holds what cannot be kept, or bytes are no result; the message says what."""


def encode(value: Any) -> bytes:
    """Return a result as bytes; EncodingError if it holds what has no place in them."""
    tensors: Tensors = {}
    structure = _written(value, tensors)
    return write_tensors(tensors, {KEY: json.dumps(structure)})


def decode(content: bytes) -> Any:
    """Return the result of :func:`encode`; EncodingError if the bytes are none."""
    try:
        structure = json.loads(_metadata(content)[KEY])
        # Copies: the library's arrays stand at odd addresses, on which a product's bits depend.
        tensors = {name: each.clone() for name, each in read_tensors(content).items()}
        return _read(structure, tensors)
    except EncodingError:
        raise
    except Exception as error:  # of safetensors, JSON, a class whose fields are others now
        raise EncodingError(f"no result of a cell ({type(error).__name__}: {error})") from error


def _metadata(content: bytes) -> Mapping[str, str]:
    length = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    metadata: Mapping[str, str] = header["__metadata__"]
    return metadata


def _written(value: Any, tensors: Tensors) -> Any:
    """Return the JSON of a value; its arrays go to ``tensors``."""
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, torch.Tensor):
        return {"tensor": _kept(value.detach(), tensors)}
    if isinstance(value, np.ndarray):
        return {"array": _kept(torch.from_numpy(np.ascontiguousarray(value)), tensors)}
    if isinstance(value, np.generic):
        return {"number": _kept(torch.from_numpy(np.asarray(value)[None].copy()), tensors)}

    def written(inner: Any) -> Any:
        return _written(inner, tensors)

    if isinstance(value, list):
        return list(map(written, value))
    if type(value) is tuple:
        return {"tuple": list(map(written, value))}
    if isinstance(value, Mapping):
        return {"dict": [[written(key), written(inner)] for key, inner in value.items()]}
    return _written_object(value, written)


def _written_object(value: Any, written: Callable[[Any], Any]) -> dict[str, Any]:
    name = [type(value).__module__, type(value).__qualname__]
    if isinstance(value, torch.nn.Module):
        config, members = getattr(value, "config", None), getattr(value, "members", None)
        if isinstance(config, BaseModel) and isinstance(members, int):
            return {
                "model": name,
                "config": config.model_dump(mode="json"),
                "members": members,
                "state": written(dict(value.state_dict())),
            }
    elif isinstance(value, BaseModel):
        return {"section": name, "content": value.model_dump(mode="json")}
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        return {"named": name, "content": [written(part) for part in value]}
    elif is_dataclass(value) and not isinstance(value, type):
        content = {field.name: written(getattr(value, field.name)) for field in fields(value)}
        return {"dataclass": name, "content": content}
    raise EncodingError(f"a cell's result holds a {'.'.join(name)}, which cannot be kept")


def _kept(value: torch.Tensor, tensors: Tensors) -> str:
    name = str(len(tensors))
    # A copy: safetensors refuses tensors that share memory.
    tensors[name] = value.cpu().clone(memory_format=torch.contiguous_format)
    return name


def _read(structure: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    def read(inner: Any) -> Any:
        return _read(inner, tensors)

    if isinstance(structure, list):
        return list(map(read, structure))
    if not isinstance(structure, dict):
        return structure
    kind, first = next(iter(structure.items()))
    readers: dict[str, Callable[[], Any]] = {
        "float": lambda: float(first),
        "tensor": lambda: tensors[first],
        "array": lambda: tensors[first].numpy(),
        "number": lambda: tensors[first].numpy()[0],
        "tuple": lambda: tuple(map(read, first)),
        "dict": lambda: {read(key): read(inner) for key, inner in first},
        "model": lambda: _model(first, structure, read),
        "section": lambda: _config(_class(first, BaseModel), structure["content"]),
        "named": lambda: _class(first, tuple)(*map(read, structure["content"])),
        "dataclass": lambda: _class(first, object)(
            **{key: read(inner) for key, inner in structure["content"].items()}
        ),
    }
    return readers[kind]()


def _model(name: list[str], structure: Mapping[str, Any], read: Callable[[Any], Any]) -> Any:
    kind = _class(name, torch.nn.Module)
    config = _config(kind.Config, structure["config"])
    model = kind(config, [torch.Generator() for _ in range(structure["members"])])
    model.load_state_dict(read(structure["state"]), assign=True)  # in the state's own precision
    return model


def _config(kind: Any, content: Any) -> Any:
    return kind.model_validate_json(json.dumps(content))  # JSON has lists where it has tuples


def _class(name: list[str], base: type) -> Any:
    """Return a class that this process has imported; EncodingError if it has none such."""
    module, qualified = name
    found: Any = sys.modules.get(module)
    for part in qualified.split("."):
        found = getattr(found, part, None)
    made_of_fields = base is not object or dataclasses.is_dataclass(found)
    if not isinstance(found, type) or not issubclass(found, base) or not made_of_fields:
        raise EncodingError(f"{module}.{qualified} is no class that results are made of here")
    return found
