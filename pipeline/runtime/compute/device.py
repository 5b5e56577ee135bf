"""On which device cells train: the environment's word, and for every worker its own card.

Without a word it is the CPU, on a machine with a card too: what a checkout computes should not
change because there is one. Draws are made on the CPU whatever the device, and results come back
to it, so files are the same but for their last digits.
"""

import multiprocessing
import os
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

DEVICE = "ATTENTION_LAB_DEVICE"
CPU, CUDA, AUTO = "cpu", "cuda", "auto"

Result = TypeVar("Result")


class DeviceError(RuntimeError):
    """There is no such device; the message is one line for the user."""


def asked() -> str:
    """Return the environment's word, *cpu* if it says nothing; DeviceError for another word."""
    given = os.environ.get(DEVICE, CPU)
    if given not in (AUTO, CPU, CUDA):
        raise DeviceError(f"{DEVICE} must be {AUTO}, {CPU} or {CUDA}, got {given!r}")
    return given


def chosen() -> str:
    """Return *cpu* or *cuda*; DeviceError if *cuda* is asked for and there is none here."""
    given = asked()
    if given == CPU or (given == AUTO and not cards()):
        return CPU
    if not cards():
        import torch

        raise DeviceError(
            f"{DEVICE}={CUDA}: torch {torch.__version__} finds no CUDA device here: unset it to "
            "compute on the CPU; make TORCH=cuda installs the build for one"
        )
    return CUDA


@cache  # a process's cards do not change, and asking takes a while
def cards() -> tuple[str, ...]:
    """Return the names of the CUDA devices that this process sees."""
    import torch

    with warnings.catch_warnings(action="ignore"):  # of a driver that is too old: no device
        if not torch.cuda.is_available():
            return ()
        return tuple(map(torch.cuda.get_device_name, range(torch.cuda.device_count())))


def described() -> str:
    """Return what is chosen in words, for the log and the record: *cpu*, or the cards."""
    if asked() == CPU or not cards():
        return asked().replace(AUTO, CPU)  # of a cluster's workers: this machine may have no card
    names = sorted(set(cards()))
    return f"{CUDA}: " + ", ".join(f"{cards().count(name)} x {name}" for name in names)


def train(function: Callable[..., Result], *arguments: Any) -> Result:
    """Return what a training function makes of a cell, here: on the CPU, or on a card.

    On a card it is given ``device`` too, this worker process's own: workers are numbered in turn.
    Raises DeviceError if the card's memory runs out.
    """
    if chosen() == CPU:
        return function(*arguments)
    import torch

    number = ((*multiprocessing.current_process()._identity, 1)[0] - 1) % len(cards())
    try:
        return function(*arguments, device=torch.device(CUDA, number))
    except torch.OutOfMemoryError as error:
        raise DeviceError(
            f"the memory of {CUDA}:{number} ({cards()[number]}) ran out: give a cell fewer members "
            f"(members_per_cell in params.yaml), or unset {DEVICE}"
        ) from error
