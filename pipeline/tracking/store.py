"""Where runs are kept: a sqlite file in the repository's root, or the server that the user names.

Reading what the local store holds needs no MLflow, whose import costs seconds.
"""

import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.runtime import locks
from pipeline.tracking.server import answers, patience
from pipeline.tracking.server.address import server as server
from pipeline.tracking.server.patience import Patience, unlimited
from pipeline.tracking.server.secrets import StoreError as StoreError
from pipeline.tracking.server.secrets import TrackingError as TrackingError
from pipeline.tracking.server.secrets import guard_output

if TYPE_CHECKING:
    from mlflow import MlflowClient

FILE = "mlflow.db"
EXPERIMENT = "attention-lab"
ARTIFACTS = "lab:/mlartifacts"  # beside the store, see artifact_repository.py
ENTRY = "dvc.entry"
SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    **patience.SETTINGS,
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}


def configure_env() -> None:
    """Set MLflow's environment, before its import; what the user has set stands."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    guard_output()


def store_root(root: Path) -> Path:
    """Return the folder of the store: the repository's root.

    DVC runs queued experiments in copies under .dvc/tmp/exps and deletes them; their runs belong to
    the repository itself.
    """
    parts = root.resolve().parts
    for index in range(len(parts) - 2):
        if parts[index : index + 3] == (".dvc", "tmp", "exps"):
            return Path(*parts[:index])
    return root.resolve()


def address(root: Path) -> str:
    """Return the store's URI, absolute whatever the current folder."""
    return server() or f"sqlite:///{store_root(root) / FILE}"


def prepare(root: Path, say: Callable[[str], object] = print) -> None:
    """Make the store ready: create the local one once, or see that the user's server answers.

    Raises TrackingError if the server does not answer.
    """
    if server():
        configure_env()
        answers.check(EXPERIMENT, Patience())
        return
    store = store_root(root) / FILE
    while not store.is_file():
        # Processes that create the schema at the same time destroy it.
        try:
            with locks.exclusive_lock(store_root(root) / "data" / ".locks" / FILE, FILE):
                if not store.is_file():
                    say(f"creating the tracking store {FILE} (once, some seconds)")
                    _create(store)
        except locks.BusyError:
            continue  # another process is creating it, perhaps on a slow machine


def _create(store: Path) -> None:
    configure_env()
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    for left in store.parent.glob(f".{store.name}.*"):  # by a process that was killed: none runs
        left.unlink()
    partial = store.with_name(f".{store.name}.{os.getpid()}")
    try:
        made = SqlAlchemyStore(f"sqlite:///{partial}", ARTIFACTS)
        made.create_experiment(EXPERIMENT, artifact_location=ARTIFACTS)
        made.engine.dispose()
        with closing(sqlite3.connect(partial)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        partial.replace(store)  # so that a store that is there is a whole one
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            partial.with_name(partial.name + suffix).unlink(missing_ok=True)


def connect(
    root: Path, expect: Callable[[float], object] = unlimited
) -> tuple["MlflowClient", str]:
    """Return a client of the store and the id of the project's experiment.

    A server's has the patience of one stage, which ``expect`` is told of. Raises StoreError.
    """
    configure_env()
    budget = Patience(expect)
    if server():
        uri = answers.check(EXPERIMENT, budget)
    else:
        prepare(root)
        uri = address(root)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(uri, registry_uri=uri)
    if server():
        client = patience.watched(client, budget)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is not None:
        return client, str(experiment.experiment_id)
    try:
        location = None if server() else ARTIFACTS
        return client, client.create_experiment(EXPERIMENT, artifact_location=location)
    except MlflowException as error:  # another process was faster
        if (experiment := client.get_experiment_by_name(EXPERIMENT)) is None:
            raise TrackingError(f"cannot create the experiment {EXPERIMENT}: {error}") from error
        return client, str(experiment.experiment_id)


@contextmanager
def writing(
    root: Path, expect: Callable[[float], object] = unlimited
) -> Iterator[tuple["MlflowClient", str]]:
    """Yield what :func:`connect` returns, and close the local store at the end of the block.

    Whoever closes it last moves what was written from ``mlflow.db-wal`` into the file itself.
    """
    try:
        yield connect(root, expect)
    finally:
        if not server():
            with suppress(Exception):  # an error in the block is the one to tell
                _close(root)


def _close(root: Path) -> None:
    # MLflow keeps one engine a URI for the life of the process; another object of it has the same.
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(address(root), ARTIFACTS).engine.dispose()
    registry = sys.modules.get("mlflow.store.model_registry.sqlalchemy_store")
    if registry is not None:  # else nothing has been registered
        registry.SqlAlchemyStore(address(root)).engine.dispose()


def logged_hashes(root: Path, hashes: Iterable[str]) -> set[str]:
    """Return which executions the store holds as a finished run.

    A run that the user deleted counts: it was logged, and deleting it was meant.
    """
    if server():
        return _logged_by_server(root, hashes)
    query = (
        "SELECT tags.value FROM tags JOIN runs ON runs.run_uuid = tags.run_uuid "
        "WHERE tags.key = ? AND runs.status = 'FINISHED'"
    )
    rows = _rows(root, query, ENTRY)
    return {value for (value,) in rows} & set(hashes)


def _logged_by_server(root: Path, hashes: Iterable[str]) -> set[str]:
    client, experiment = connect(root)
    from mlflow.entities import ViewType

    def is_held(entry: str) -> bool:
        query = f"tags.`{ENTRY}` = '{entry}' and attributes.status = 'FINISHED'"
        return bool(client.search_runs([experiment], query, ViewType.ALL, max_results=1))

    return {entry for entry in hashes if is_held(entry)}


def unfinished(root: Path) -> list[tuple[str, str]]:
    """Return (run id, writer) of the local store's visible runs that were never finished."""
    query = (
        "SELECT runs.run_uuid, tags.value FROM tags JOIN runs ON runs.run_uuid = tags.run_uuid "
        "WHERE tags.key = ? AND runs.status = 'RUNNING' AND runs.lifecycle_stage = 'active'"
    )
    return [] if server() else [(run, writer) for run, writer in _rows(root, query, "writer")]


def _rows(root: Path, query: str, key: str) -> list[tuple[str, ...]]:
    store = store_root(root) / FILE
    if not store.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{store.as_uri()}?mode=rw", uri=True)) as connection:
            return list(connection.execute(query, (key,)))
    except sqlite3.Error as error:
        raise TrackingError(
            f"{FILE} is not a sound MLflow store ({error}); move it away, and "
            "`python -m pipeline track` makes a new one"
        ) from error
