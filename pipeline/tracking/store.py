"""Where runs are kept: a sqlite file in the repository's root, or the server that the user names.

Reading what the local store holds needs no MLflow, whose import costs seconds.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.tracking import database, schema, writers
from pipeline.tracking.database import FILE, FOLDER
from pipeline.tracking.server import answers, patience
from pipeline.tracking.server.address import server as server
from pipeline.tracking.server.patience import Patience, unlimited
from pipeline.tracking.server.secrets import StoreError as StoreError
from pipeline.tracking.server.secrets import TrackingError as TrackingError
from pipeline.tracking.server.secrets import guard_output

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "attention-lab"
ARTIFACTS = f"lab:/{FOLDER}"  # beside the store, see artifact_repository.py
ENTRY = "dvc.entry"
LOCKS = Path("data", ".locks")
DELETED = "deleted"
SAY = partial(print, flush=True)  # the process beside a stage ends without tidying up
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


def prepare(root: Path, say: Callable[[str], object] = SAY) -> None:
    """Make the store ready: create the local one once, or see that the user's server answers.

    Raises TrackingError if the server does not answer, StoreError if the local store is unsound.
    """
    if server():
        configure_env()
        answers.check(EXPERIMENT, Patience())
        return

    def fill(path: Path) -> None:
        say(f"creating the tracking store {FILE} (once, some seconds)")
        _fill(path)

    store = store_root(root) / FILE
    if database.prepare(store, lock_folder(root) / FILE, fill):
        _close(root)  # connections to a store that is no longer there
    schema.check(store)
    artifacts = store_root(root) / FOLDER
    if artifacts.exists() and not artifacts.is_dir():
        raise StoreError(f"{FOLDER} is a file, expected a folder: move it away")


def _fill(path: Path) -> None:
    configure_env()
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    made = SqlAlchemyStore(f"sqlite:///{path}", ARTIFACTS)
    made.create_experiment(EXPERIMENT, artifact_location=ARTIFACTS)
    made.engine.dispose()


def lock_folder(root: Path) -> Path:
    """Return the folder of the locks: the same for all that may write to the store.

    Queued experiments do, and other checkouts whose ``mlflow.db`` is a link to the same file.
    """
    store = store_root(root) / FILE
    return store.resolve().with_name(LOCKS.name) if store.is_symlink() else store_root(root) / LOCKS


def settle(root: Path) -> None:
    """Leave the local store whole in its file, as far as that can be had at once."""
    if not server():
        database.settle(store_root(root) / FILE)


def warm_up(root: Path) -> None:
    """Create the local store and open it once, unless another program holds it."""
    if not server() and database.is_free(store_root(root) / FILE):
        with writing(root):
            pass


def connect(
    root: Path, expect: Callable[[float], object] = unlimited, say: Callable[[str], object] = SAY
) -> tuple["MlflowClient", str]:
    """Return a client of the store and the id of the project's experiment, which is there then.

    A server's has the patience of one stage, which ``expect`` is told of. Raises StoreError.
    """
    configure_env()
    budget = Patience(expect)
    if server():
        uri = answers.check(EXPERIMENT, budget)
    else:
        prepare(root, say)
        uri = address(root)
        database.limit_waits()
        database.check_writable(store_root(root) / FILE)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(uri, registry_uri=uri)
    if server():
        client = patience.watched(client, budget)
    if (experiment := client.get_experiment_by_name(EXPERIMENT)) is None:
        try:
            location = None if server() else ARTIFACTS
            return client, client.create_experiment(EXPERIMENT, artifact_location=location)
        except MlflowException as error:  # another process was faster
            if (experiment := client.get_experiment_by_name(EXPERIMENT)) is None:
                text = f"cannot create the experiment {EXPERIMENT}: {error}"
                raise TrackingError(text) from error
    if experiment.lifecycle_stage == DELETED:
        _restore(client, experiment.experiment_id, say)
    return client, str(experiment.experiment_id)


def _restore(client: "MlflowClient", experiment: str, say: Callable[[str], object]) -> None:
    """Restore the experiment that the user deleted: nothing can be logged to it, nor to another.

    Its name stays taken. Runs that failed come back with the others, and are hidden again.
    """
    from mlflow.exceptions import MlflowException

    with suppress(MlflowException):  # another process was faster
        client.restore_experiment(experiment)
    failed = f"attributes.status = 'FAILED' and tags.{writers.TAG} != ''"
    for run in client.search_runs([experiment], failed):
        client.delete_run(run.info.run_id)
    say(
        f"the experiment {EXPERIMENT} was deleted in MLflow: restored with its runs (to be rid of "
        "them, delete the runs, not the experiment)"
    )


@contextmanager
def writing(
    root: Path, expect: Callable[[float], object] = unlimited, say: Callable[[str], object] = SAY
) -> Iterator[tuple["MlflowClient", str]]:
    """Yield what :func:`connect` returns, and close the local store at the end of the block.

    Raises StoreError for what sqlite says in the block.
    """
    try:
        yield connect(root, expect, say)
    except Exception as error:
        if not server() and (explained := database.explained(error)) is not None:
            raise explained from error
        raise
    finally:
        if not server():
            _close(root)
            settle(root)


def _close(root: Path) -> None:
    # MLflow keeps one engine a URI for the life of the process, with its connections.
    for name in ("tracking", "model_registry"):
        module = sys.modules.get(f"mlflow.store.{name}.sqlalchemy_store")
        if module is not None:
            engine = module.SqlAlchemyStore._engine_map.get(address(root))
            if engine is not None:
                engine.dispose()


def logged_hashes(
    root: Path, hashes: Iterable[str], say: Callable[[str], object] = SAY
) -> set[str]:
    """Return which executions the store holds as a finished run.

    A run that the user deleted counts: it was logged, and deleting it was meant. An experiment that
    the user deleted is restored first.
    """
    if server():
        return _logged_by_server(root, hashes, say)
    store = store_root(root) / FILE
    if not database.tables(store):
        return set()
    query = "SELECT count(*) FROM experiments WHERE name = ? AND lifecycle_stage = ?"
    if database.read(store, query, EXPERIMENT, DELETED) != [(0,)]:
        with writing(root, say=say):
            pass
    query = (
        "SELECT tags.value FROM tags JOIN runs ON runs.run_uuid = tags.run_uuid "
        "WHERE tags.key = ? AND runs.status = 'FINISHED'"
    )
    return {value for (value,) in database.read(store, query, ENTRY)} & set(hashes)


def _logged_by_server(root: Path, hashes: Iterable[str], say: Callable[[str], object]) -> set[str]:
    client, experiment = connect(root, say=say)
    from mlflow.entities import ViewType

    def is_held(entry: str) -> bool:
        query = f"tags.`{ENTRY}` = '{entry}' and attributes.status = 'FINISHED'"
        return bool(client.search_runs([experiment], query, ViewType.ALL, max_results=1))

    return {entry for entry in hashes if is_held(entry)}


def unfinished(root: Path) -> list[tuple[str, str]]:
    """Return (run id, writer) of the local store's visible runs that are not finished."""
    store = store_root(root) / FILE
    if not database.tables(store):
        return []
    query = (
        "SELECT runs.run_uuid, tags.value FROM tags JOIN runs ON runs.run_uuid = tags.run_uuid "
        "WHERE tags.key = ? AND runs.status = 'RUNNING' AND runs.lifecycle_stage = 'active'"
    )
    return database.read(store, query, writers.TAG)
