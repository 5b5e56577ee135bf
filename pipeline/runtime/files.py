"""Files that appear whole or not at all, and one error for what they should not be."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

CACHE = "__pycache__"  # of Python, which DVC does not read either


class ArtifactError(ValueError):
    """A file that a stage needs is missing or not what it should be; one line for the user."""

    def __init__(self, path: Path, problem: str):
        super().__init__(path, problem)  # both, so that it can come home from a worker process

    def __str__(self) -> str:
        path, problem = self.args
        stage = path.parent.name
        if "reference" in path.parts:  # published numbers: under git, made by no stage
            place = path.as_posix()[path.as_posix().index("reference/") :]
            return f"{place}: {problem}; restore it: git checkout -- data/{place}"
        place = f"{stage}/{path.name}"
        # From DVC's cache in a second; made again in minutes.
        return (
            f"{place}: {problem}; restore it: dvc checkout -f data/{place}, "
            f"or remake it: dvc repro -f -s {stage}"
        )


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
    """Return the md5 of a file's or a folder's content, as dvc.lock states it."""
    if path.is_dir():
        names = sorted(
            file.relative_to(path).as_posix()
            for file in path.rglob("*")
            if file.is_file() and CACHE not in file.parts
        )
        entries = [{"md5": md5(path / name), "relpath": name} for name in names]
        return hashlib.md5(json.dumps(entries, sort_keys=True).encode()).hexdigest() + ".dir"
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
def reading(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong in the block into an ArtifactError about ``path``."""
    if not path.is_file():
        raise ArtifactError(path, "is missing")
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
            path, f"is truncated or not a {path.suffix[1:]} file ({reason})"
        ) from error
