"""The local store as a sqlite file: made once, and looked at before MLflow opens it.

The file is the whole store. sqlite's write-ahead log would be faster, but what was written last
would lie beside the file whenever a process is killed or keeps a connection: a copy of the file has
no runs then, and another file put in its place is read together with the log. So the journal is
sqlite's plain one, which lasts no longer than a transaction.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.runtime import locks
from pipeline.tracking.server.secrets import StoreError

FILE = "mlflow.db"
BESIDE = ("-wal", "-shm", "-journal")  # what sqlite may leave beside its file
FILES = ", ".join([FILE, *(FILE + suffix for suffix in BESIDE)])
FOLDER = "mlartifacts"
ADVICE = (
    f"move {FILES} and {FOLDER} away, as many as there are, and `python -m pipeline track` makes "
    "a new store of what dvc.lock holds"
)
LOCK_SECONDS = 7.0  # tracking may cost ten
CREATE_SECONDS = 60.0  # on a slow machine
TABLES = {"alembic_version", "experiments", "runs", "tags"}
WRITE_VERSION, LOGGED = slice(18, 20), b"\x02\x02"  # of a file's header: it has a log


def read(store: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query; StoreError if the file cannot be read or is no sound store."""
    try:
        with closing(_opened(store)) as connection:
            return list(connection.execute(query, values))
    except sqlite3.Error as error:
        raise explained(error) or StoreError(
            f"{FILE} is no MLflow store ({error}): {ADVICE}"
        ) from error


def _opened(store: Path, seconds: float | None = None) -> sqlite3.Connection:
    address = f"{store.as_uri()}?mode=rw"  # never made here
    patience = LOCK_SECONDS if seconds is None else seconds
    return sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)


def tables(store: Path) -> set[str]:
    """Return the names of a store's tables; none if there is no store.

    Raises StoreError if there is something else in its place.
    """
    if store.is_symlink() and not store.exists():
        raise StoreError(
            f"{FILE} is a link to {store.readlink()}, where nothing is: mount what it leads to, or "
            "remove the link"
        )
    if not store.exists() or (store.is_file() and store.stat().st_size == 0):
        return set()
    if not store.is_file():
        raise StoreError(f"{FILE} is a folder, expected MLflow's sqlite file: {ADVICE}")
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    return {str(name) for (name,) in read(store, query)}


def settle(store: Path) -> None:
    """Leave a store whole in its file: take in its log, undo what a killed process began.

    A file that another program holds is left for the next time.
    """
    with suppress(OSError, sqlite3.Error):
        file = store.resolve()
        left = [suffix for suffix in BESIDE if Path(f"{file}{suffix}").exists()]
        if file.stat().st_size == 0 or not (left or _is_logged(file)):
            return
        if not _is_logged(file):
            # The log is of a file that was here before, and sqlite would read it as this one's: a
            # file that has a log says so since before the log was begun.
            for suffix in ("-wal", "-shm"):
                Path(f"{file}{suffix}").unlink(missing_ok=True)
        with closing(_opened(store, seconds=0.5)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchall()


def _is_logged(file: Path) -> bool:
    with file.open("rb") as content:
        return content.read(WRITE_VERSION.stop)[WRITE_VERSION] == LOGGED


def prepare(store: Path, lock: Path, fill: Callable[[Path], object]) -> bool:
    """Make the store ready for MLflow, ``fill`` makes it where there is none; tell if it did.

    Raises StoreError if there is something else in its place, or a process holds it.
    """
    settle(store)
    deadline = time.monotonic() + CREATE_SECONDS
    made = False
    while not (names := tables(store)):
        # Processes that create the schema at the same time destroy it.
        try:
            with locks.exclusive_lock(lock, FILE):
                if not tables(store):
                    _create(store.resolve(), fill)
                    made = True
        except locks.BusyError as error:  # another process is creating it
            if time.monotonic() > deadline:
                raise StoreError(str(error)) from error
    if not names >= TABLES:
        raise StoreError(
            f"{FILE} is a sqlite file of something else: it has the tables "
            f"{', '.join(sorted(names))[:100]} and not MLflow's; {ADVICE}"
        )
    return made


def _create(store: Path, fill: Callable[[Path], object]) -> None:
    for left in store.parent.glob(f".{store.name}.*"):  # by a process that was killed: none runs
        left.unlink()
    partial = store.with_name(f".{store.name}.{os.getpid()}")
    try:
        fill(partial)
        with ExitStack() as stack:
            if store.exists():  # empty; whoever holds it may be making a store of it
                try:
                    held = stack.enter_context(closing(_opened(store)))
                    held.execute("BEGIN EXCLUSIVE")
                except sqlite3.Error as error:
                    raise explained(error) or error from error
                if held.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
                    return
            for suffix in BESIDE:  # of a store that was deleted without them
                Path(f"{store}{suffix}").unlink(missing_ok=True)
            partial.replace(store)  # so that a store that is there is a whole one
    finally:
        for suffix in ("", *BESIDE):
            partial.with_name(partial.name + suffix).unlink(missing_ok=True)


def check_writable(store: Path) -> None:
    """Raise StoreError unless the file can be written now."""
    folder = store.resolve().parent
    if not os.access(folder, os.W_OK):
        raise StoreError(f"{FILE} cannot be written: its folder {folder} is read-only for you")
    try:
        with closing(_opened(store)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise explained(error) or error from error


def is_free(store: Path) -> bool:
    """Tell whether nobody holds the file at this moment; also where there is none."""
    if not store.exists():
        return True
    try:
        with closing(_opened(store, seconds=0.0)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("ROLLBACK")
    except sqlite3.Error:
        return False
    return True


def explained(error: BaseException) -> StoreError | None:
    """Return what sqlite's failure means for the user, if an error comes from one."""
    cause = _sqlite_error(error)
    match _code(cause):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            text = "is locked by another program: wait until it has written, or end it"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            text = f"is not a sound sqlite file ({cause}): {ADVICE}"
        case sqlite3.SQLITE_FULL:
            text = "cannot grow: the disk is full"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            text = f"cannot be opened and written ({cause}): see its permissions and its folder's"
        case sqlite3.SQLITE_IOERR:
            text = f"cannot be read or written ({cause}): is the disk full or gone?"
        case _:
            return None
    return StoreError(f"{FILE} {text}")


def is_locked(error: BaseException) -> bool:
    """Tell whether an error comes from a lock that another program holds."""
    return _code(_sqlite_error(error)) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _sqlite_error(error: BaseException) -> BaseException | None:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, sqlite3.Error):
        cause = cause.__cause__ or cause.__context__
    return cause


def _code(cause: BaseException | None) -> int:
    code: int = getattr(cause, "sqlite_errorcode", None) or 0
    return code & 0xFF  # without what sqlite tells beside it


@cache
def limit_waits() -> None:
    """Let MLflow wait for a lock no longer than tracking may take, and not tell of it itself.

    Every session of it sets 20 seconds, and prints a traceback when they are over.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)

    @event.listens_for(Engine, "before_cursor_execute", retval=True)
    def shorten(
        _connection: object, _cursor: object, statement: str, parameters: object, *_: object
    ) -> tuple[str, object]:
        if statement.startswith("PRAGMA busy_timeout"):
            return f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000:.0f}", parameters
        return statement, parameters
