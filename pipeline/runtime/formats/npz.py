"""The arrays of an npz file, which may be foreign, damaged, or made to fill the memory.

``numpy.savez`` stores arrays as they are, so an array cannot be larger than its file. What is
compressed, and can grow a thousandfold, was not written here.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pipeline.one_line import shown

SUFFIX = ".npy"
ENCRYPTED = 0x1  # of a member's flags


def names_and_arrays(path: Path, names: Iterable[str]) -> tuple[list[str], dict[str, NDArray[Any]]]:
    """Return the names of all arrays of a file, and those of ``names`` that it has.

    Raises whatever zip and npy readers do on a damaged file, and ValueError for what would not be
    as it was written: compressed, encrypted, named twice, of objects, or of another size than its
    header says.
    """
    # Opened here: ZipFile leaves a file open that is no zip file.
    with path.open("rb") as raw, ZipFile(raw) as archive:
        members: dict[str, ZipInfo] = {}
        for member in archive.infolist():
            name = member.filename.removesuffix(SUFFIX)
            if name in members:
                raise ValueError(f"holds {shown(name)} twice")
            members[name] = member
        return sorted(members), {
            name: _array(archive, members[name]) for name in names if name in members
        }


def _array(archive: ZipFile, member: ZipInfo) -> NDArray[Any]:
    what = shown(member.filename)
    if member.compress_type != ZIP_STORED or member.file_size != member.compress_size:
        raise ValueError(f"{what} is compressed")
    if member.flag_bits & ENCRYPTED:
        raise ValueError(f"{what} is encrypted")
    with archive.open(member) as file:
        shape, dtype, length = _header(file)
        if dtype.hasobject:
            raise ValueError(f"{what} holds objects, which would run code when they are read")
        size = math.prod(shape) * dtype.itemsize
        if any(axis < 0 for axis in shape) or size != member.file_size - length:
            raise ValueError(f"{what} has {member.file_size - length} bytes of numbers, not {size}")
    with archive.open(member) as file:
        return np.asanyarray(npy.read_array(file, allow_pickle=False))


def _header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Return shape and dtype of an array that is to follow, and the length of that header."""
    version = npy.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = npy.read_array_header_1_0(file)
    else:
        shape, _, dtype = npy.read_array_header_2_0(file)
    return shape, dtype, file.tell()
