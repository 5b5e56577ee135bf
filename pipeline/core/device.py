"""Where members train: on the CPU, or on the device that a training function is given.

A computation has generators on the CPU, so that a seed's draws are the same on every device, and
gives its results back on the CPU. In between, its model and its data stand on the device.
"""

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

Value = TypeVar("Value")
CPU = torch.device("cpu")


def moved(value: Value, device: torch.device) -> Value:
    """Return a value with its tensors on ``device``: a tensor, or a dataclass of such values.

    Anything else is returned as it is.
    """
    result: Any = value
    if isinstance(value, Tensor):
        result = value.to(device)
    elif is_dataclass(value) and not isinstance(value, type):
        inner = {field.name: getattr(value, field.name) for field in fields(value)}
        result = replace(value, **{name: moved(each, device) for name, each in inner.items()})
    return result
