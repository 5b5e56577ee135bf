"""The folder of kept results: one file an entry, whole or not there, the least used removed.

It lies outside the checkout, so that all checkouts of a user share it. Nothing rests on it: an
entry that is damaged, gone, or of another format is as one that never was, and a folder that cannot
be written costs a warning.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER, LIMIT = "ATTENTION_LAB_CELLS", "ATTENTION_LAB_CELLS_GIB"
OFF = "off"
DEFAULT_GIB = 4.0
FORMAT = "v1"  # of the entries' bytes; other formats lie beside it and are removed like the rest
SUFFIX = ".cell"
HASH_BYTES = hashlib.sha256().digest_size
GIB = 2**30
ROOM = 0.9  # of the limit is left after a removal, so that not every entry costs one
ABANDONED_SECONDS = 3600.0  # a file that is still being written after it belongs to nobody


class StoreError(ValueError):
    """The environment's word on the store is none; one line for the user."""


@dataclass(frozen=True)
class Store:
    """Entries by key under ``folder``, of ``limit`` bytes in all."""

    folder: Path
    limit: int

    def get(self, key: str) -> bytes | None:
        """Return an entry's content and mark it as used; None if there is no sound one."""
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content[HASH_BYTES:]).digest() != content[:HASH_BYTES]:
            self.drop(key)
            return None
        with suppress(OSError):  # another user's, or removed meanwhile
            os.utime(path)
        return content[HASH_BYTES:]

    def put(self, key: str, content: bytes) -> None:
        """Keep an entry, if it fits at all; OSError if the folder cannot be written."""
        if len(content) + HASH_BYTES > self.limit:
            return
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{key}.{os.getpid()}")
        try:
            temporary.write_bytes(hashlib.sha256(content).digest() + content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def drop(self, key: str) -> None:
        """Remove an entry, if there is one and it may be removed."""
        with suppress(OSError):
            self._path(key).unlink()

    def shrink(self) -> None:
        """Remove what was used least lately until the rest is within the limit."""
        entries = sorted(self.entries(), key=lambda entry: entry.used)
        total = sum(entry.size for entry in entries)
        if total <= self.limit:
            return
        for entry in entries:
            if total <= ROOM * self.limit:
                break
            with suppress(OSError):
                entry.path.unlink()
            total -= entry.size

    def entries(self) -> Iterator["Entry"]:
        """Yield the entries, of every format; what was abandoned half-written is removed."""
        for path in self.folder.glob("v*/*/*"):
            with suppress(OSError):  # removed meanwhile
                state = path.stat()
                if path.suffix == SUFFIX:
                    yield Entry(path, state.st_size, state.st_mtime)
                elif time.time() - state.st_mtime > ABANDONED_SECONDS:
                    path.unlink()

    def clear(self) -> None:
        """Remove every entry."""
        for entry in self.entries():
            with suppress(OSError):
                entry.path.unlink()

    def described(self) -> str:
        """Say in a line what is kept, and where."""
        entries = list(self.entries())
        size = sum(entry.size for entry in entries) / GIB
        return (
            f"{len(entries)} finished cells are kept, {size:.2f} of at most "
            f"{self.limit / GIB:g} GiB, in {self.folder}"
        )

    def _path(self, key: str) -> Path:
        return self.folder / FORMAT / key[:2] / f"{key}{SUFFIX}"


@dataclass(frozen=True)
class Entry:
    """A file of the store: its size in bytes, and when it was last used (seconds since 1970)."""

    path: Path
    size: int
    used: float


def configured(environment: Mapping[str, str] = os.environ) -> Store | None:
    """Return the store that the environment names, by default one in the user's cache; None: off.

    Raises StoreError if the folder is not absolute or the limit is not a positive number.
    """
    given = environment.get(FOLDER, "").strip()
    if given.lower() == OFF:
        return None
    if given and not Path(given).expanduser().is_absolute():
        raise StoreError(f"{FOLDER} must be an absolute path or {OFF!r}, got {given!r}")
    return Store(_folder(given, environment), _limit(environment.get(LIMIT, str(DEFAULT_GIB))))


def _folder(given: str, environment: Mapping[str, str]) -> Path:
    if given:
        return Path(given).expanduser()
    cache = environment.get("XDG_CACHE_HOME", "")
    home = Path(cache) if cache.startswith("/") else Path("~/.cache")
    with suppress(RuntimeError):  # a process without a home
        home = home.expanduser()
    return home / "attention-lab" / "cells"


def _limit(given: str) -> int:
    try:
        gib = float(given)
    except ValueError:
        gib = 0.0
    if not 0 < gib < 2**20:  # and no nan
        raise StoreError(f"{LIMIT} must be a number of GiB above 0, got {given!r}")
    return int(gib * GIB)


def warn(error: OSError, store: Store) -> None:
    """Say that results are not kept; they are complete all the same."""
    sys.stderr.write(
        f"warning: finished cells are not kept in {store.folder} ({error.strerror or error}); "
        f"another folder, or {OFF!r}: {FOLDER}\n"
    )
