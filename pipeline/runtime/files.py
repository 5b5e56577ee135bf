"""Files that appear whole or not at all, and one error for what they should not be."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from pipeline.one_line import one_line, shortened, shown

DATA, REFERENCE = "data", "reference"
CACHE = "__pycache__"  # of Python, which DVC does not read either
# What is larger is not read at all, so that no file costs minutes or the memory. The largest array
# that the params allow has 1.5 GiB and a file a few of them; tables and JSON have kilobytes.
MOST_BYTES = 8 * 2**30
MOST_TEXT = 256 * 2**20
PROBLEM = 600  # characters of what a message tells of a file, whose text may be foreign
NO_FILE = "is no file"  # but a folder, a link to nowhere, or a pipe, which one would wait for
NAME = 150  # characters of a file's name, of 255 bytes that a file system takes


class ArtifactError(ValueError):
    """A file that a stage needs is missing or not what it should be; one line for the user."""

    def __init__(self, path: Path, problem: str):
        super().__init__(path, problem)  # both, so that it can come home from a worker process

    def __str__(self) -> str:
        path, problem = self.args[0], one_line(shortened(self.args[1], PROBLEM))
        place = placed(path)
        stage = place.split("/")[0]
        if stage == REFERENCE:  # published numbers: under git, made by no stage
            return f"{place}: {problem}; restore it: git checkout -- data/{place}"
        # From DVC's cache in a second; made again in minutes.
        return (
            f"{place}: {problem}; restore it: dvc checkout -f data/{place}, "
            f"or remake it: dvc repro -f -s {stage}"
        )


def placed(path: Path) -> str:
    """Return where a file of data/ lies inside it, ``STAGE/FILE``."""
    parts = path.parts
    inside = parts[len(parts) - parts[::-1].index(DATA) :] if DATA in parts else parts[-2:]
    return "/".join(inside)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes ``path`` if the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


_record: ContextVar[dict[Path, str] | None] = ContextVar("_record", default=None)


def md5(path: Path) -> str:
    """Return the md5 of a file's or a folder's content, as dvc.lock states it.

    Raises OSError if there is none, ArtifactError if it is neither: a pipe, a device.
    """
    if path.is_dir():
        names = sorted(
            file.relative_to(path).as_posix()
            for file in path.rglob("*")
            if file.is_file() and CACHE not in file.parts
        )
        entries = [{"md5": md5(path / name), "relpath": name} for name in names]
        return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
    if path.exists() and not path.is_file():
        raise ArtifactError(path, NO_FILE)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


@contextmanager
def recording() -> Iterator[dict[Path, str]]:
    """Yield a dict that fills with the files that the block reads, and what their md5 was."""
    record: dict[Path, str] = {}
    token = _record.set(record)
    try:
        yield record
    finally:
        _record.reset(token)


@contextmanager
def reading(path: Path, most: int = MOST_BYTES) -> Iterator[None]:
    """Turn whatever goes wrong in the block into an ArtifactError about ``path``.

    What is no file, or has more bytes than ``most``, is refused before the block.
    """
    if not path.is_file():
        raise ArtifactError(path, NO_FILE if os.path.lexists(path) else "is missing")
    if (size := path.stat().st_size) > most:
        raise ArtifactError(path, f"has {size} bytes, at most {most} are read")
    record = _record.get()
    if record is not None and path not in record:
        record[path] = md5(path)
    try:
        yield
    except ArtifactError:
        raise
    except Exception as error:  # the readers of zip, npy, csv, ... raise many kinds on odd bytes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ArtifactError(
            path, f"is truncated or not a {path.suffix[1:]} file ({shortened(reason)})"
        ) from error


def plain_name(name: str) -> str:
    """Return a name unchanged; ValueError unless it is that of a file in the folder it is read in.

    A name that comes out of a file must not lead elsewhere.
    """
    if (
        not name.isprintable()
        or not 0 < len(name) <= NAME
        or name.startswith((".", "~", "-"))
        or any(character in name for character in "/\\:")
    ):
        raise ValueError(f"must be the name of a file beside it, got {shown(name)}")
    return name
