"""A card that is not there: tensors on it are computed on the CPU, but mix with no other's.

A machine without a GPU can so tell whether a computation is all on the device that it was given: an
operation on tensors of both raises, as it would there, and the numbers are the CPU's own bits. What
it cannot tell: the card's own rounding, memory and speed.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

CARD = torch.device("meta")  # autograd asks CUDA's library of a tensor said to be on CUDA
aten = torch.ops.aten
# What a CUDA device has in no deterministic form: torch refuses it there (the notes of
# torch.use_deterministic_algorithms), since every worker asks for deterministic algorithms.
REFUSED = {
    "cumsum", "histc", "bincount", "median", "kthvalue", "put_", "nll_loss_forward",
    "scatter_reduce",
}  # fmt: skip


class OnCard(torch.Tensor):
    """A tensor on the card; ``held`` has its values."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "OnCard":
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(),
            dtype=held.dtype, device=CARD, requires_grad=held.requires_grad,
        )  # fmt: skip
        made.held = held
        return made

    def tolist(self) -> Any:
        """Return the values."""
        return self.held.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return dispatch(func, args, kwargs or {})


class Card(TorchDispatchMode):
    """While it is entered, ``device=CARD`` makes tensors on the card."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return dispatch(func, args, kwargs or {})


def dispatch(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Compute an operation; RuntimeError for one that a card would not compute."""
    values = tree_flatten((args, kwargs))[0]
    tensors = [value for value in values if isinstance(value, Tensor)]
    on_card = any(isinstance(value, OnCard) for value in tensors)
    target = kwargs.get("device")
    if target is not None:
        kwargs = kwargs | {"device": torch.device("cpu")}
        on_card = torch.device(target).type == CARD.type
    elif on_card and func not in (aten.copy_.default, aten._to_copy.default):
        _refuse(func, values, tensors)
    result = func(*tree_map(_held, args), **tree_map(_held, kwargs))
    if not on_card or func is aten._local_scalar_dense.default:
        return result
    wrapped = tree_map(lambda value: OnCard(value) if isinstance(value, Tensor) else value, result)
    if target is not None:
        return wrapped
    return return_and_correct_aliasing(func, args, kwargs, wrapped)


def _refuse(func: Any, values: list[Any], tensors: list[Tensor]) -> None:
    if any(isinstance(value, torch.Generator) for value in values):
        raise RuntimeError(f"{func}: a generator of the CPU draws on the CPU")
    if func.overloadpacket.__name__ in REFUSED:
        raise RuntimeError(f"{func}: has no deterministic form on a card")
    # A number may stand on the CPU, and so may an index.
    left = [value for value in tensors if not isinstance(value, OnCard) and value.ndim]
    if func is aten.index.Tensor:
        left = [value for value in left if value.is_floating_point()]
    if left:
        raise RuntimeError(f"{func}: a tensor of shape {tuple(left[0].shape)} was left on the CPU")


def _held(value: Any) -> Any:
    return value.held if isinstance(value, OnCard) else value


def on_card(function: Callable[..., Any], *args: Any) -> Any:
    """Return what a function gives with ``device=CARD``."""
    with Card():
        return function(*args, device=CARD)
