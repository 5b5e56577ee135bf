"""MLflow, and nothing else knows of MLflow: one run for each execution of a stage.

A run is logged from the stage's files on disk alone, after they are complete, so a failure to log
costs no result and :func:`backfill` makes the same run later. MLflow is imported late (its import
costs seconds): while the stage computes, or when there is something to log.
"""

import getpass
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipeline.runtime.files import md5
from pipeline.runtime.provenance import Execution
from pipeline.tracking.runs import Run, describe, files, record_of
from pipeline.tracking.store import (
    TrackingError,
    configure_env,
    connect,
    logged_hashes,
    prepare,
    unfinished,
)
from pipeline.tracking.ui import serve

if TYPE_CHECKING:
    from mlflow import MlflowClient

Item = TypeVar("Item")

__all__ = ["TrackingError", "backfill", "import_while_computing", "prepare", "record", "serve"]

PARAMS_PER_BATCH, POINTS_PER_BATCH = 100, 900  # MLflow takes 100 params, 1000 entities in all
# What record() imports: the client, the local store, the data types.
MODULES = ("mlflow.tracking", "mlflow.store.tracking.sqlalchemy_store", "mlflow.entities")


def import_while_computing() -> Callable[[], None]:
    """Start to import MLflow beside the computation; the returned function waits for it.

    An import that fails is silent here: :func:`record` meets the same error.
    """
    configure_env()

    def load() -> None:
        with suppress(Exception):
            for name in MODULES:
                import_module(name)

    thread = threading.Thread(target=load, daemon=True, name="import mlflow")
    thread.start()
    return thread.join


def record(root: Path, execution: Execution) -> None:
    """Log one execution, whose files are on disk, as one finished run with its child runs.

    If that fails, no run stays visible. Raises TrackingError for what the user can mend, and
    whatever MLflow raises.
    """
    stage, children = describe(root, execution, _context(root))
    client, experiment = connect(root)
    with _all_or_none(client) as started:
        parent = _start(client, experiment, stage, {}, started)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            for path in files(root, execution):
                (folder / path.name).symlink_to(path.resolve())
            text = json.dumps(record_of(execution), indent=1, default=str)
            (folder / "execution.json").write_text(text + "\n", encoding="utf-8")
            client.log_artifacts(parent, scratch)
        for child in children:
            run = _start(client, experiment, child, {"mlflow.parentRunId": parent}, started)
            if child.trained is not None and child.trained.register_as is not None:
                # Its imports cost seconds, and few stages register a model.
                import_module("pipeline.tracking.registry").register(
                    client, run, child.trained, root / "data" / execution.stage
                )
        for run in reversed(started):  # the stage's run last: it says that all is there
            client.set_terminated(run)


def backfill(
    root: Path, executions: Mapping[str, Execution], say: Callable[[str], object] = print
) -> None:
    """Log the executions that the store does not hold and whose files are on disk, and say which.

    Fast when there is nothing to do: MLflow is not imported then. Raises TrackingError at the end
    if some could not be logged.
    """
    _sweep(root)
    known = logged_hashes(root, [execution.hash for execution in executions.values()])
    failed = []
    for name, execution in executions.items():
        if execution.hash in known:
            continue
        if changed := _changed(root, execution):
            say(f"{name}: not logged: {changed} is missing or not as dvc.lock names it")
            continue
        try:
            record(root, execution)
            say(f"{name}: logged")
        except Exception as error:  # whatever MLflow raises, the others go on
            failed.append(f"{name} ({' '.join(str(error).split())[:200]})")
    if failed:
        raise TrackingError(f"could not log {', '.join(failed)}")


def _changed(root: Path, execution: Execution) -> str:
    """Return the first output that is missing or has other content, or nothing."""
    for path, expected in execution.outs.items():
        if not (root / path).is_file() or md5(root / path) != expected:
            return path
    return ""


def _start(
    client: "MlflowClient", experiment: str, run: Run, tags: Mapping[str, str], started: list[str]
) -> str:
    """Start a run and log its params and points in as few batches as MLflow takes."""
    from mlflow.entities import Metric, Param

    everything = {
        **run.tags,
        **tags,
        "writer": _writer(),
        "mlflow.user": _user(),
        "mlflow.source.name": "attention-lab",
        "mlflow.source.type": "LOCAL",
    }
    now = int(time.time() * 1000)
    created = client.create_run(experiment, start_time=now, tags=everything, run_name=run.name)
    identity = str(created.info.run_id)
    started.append(identity)
    params = [Param(key, value) for key, value in run.params.items()]
    points = [Metric(key, value, now, step) for key, value, step in run.points]
    for some_params, some_points in zip_longest(
        _batches(params, PARAMS_PER_BATCH), _batches(points, POINTS_PER_BATCH), fillvalue=()
    ):
        client.log_batch(identity, metrics=some_points, params=some_params)
    return identity


def _batches(items: list[Item], size: int) -> Iterator[list[Item]]:
    return (items[i : i + size] for i in range(0, len(items), size))


@contextmanager
def _all_or_none(client: "MlflowClient") -> Iterator[list[str]]:
    """Yield a list for the ids of started runs; if the block fails, fail and hide them all."""
    started: list[str] = []
    try:
        yield started
    except BaseException:
        for run in started:
            with suppress(Exception):  # the first error is the one to tell
                client.set_terminated(run, status="FAILED")
                client.delete_run(run)
        raise


def _sweep(root: Path) -> None:
    """Hide what a killed process of this machine left half-written in the local store."""
    dead = [run for run, writer in unfinished(root) if not _alive(writer)]
    if not dead:
        return
    client, experiment = connect(root)
    for run in dead:
        children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run}'")
        for identity in [run, *(child.info.run_id for child in children)]:
            client.set_terminated(identity, status="FAILED")
            client.delete_run(identity)


def _writer() -> str:
    return f"{socket.gethostname()} {os.getpid()}"


def _alive(writer: str) -> bool:
    """Tell whether a run's writer may still be writing; one of another machine may."""
    host, _, pid = writer.rpartition(" ")
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, ValueError):
        return True
    return True


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


def _context(root: Path) -> dict[str, str]:
    """Return tags of the circumstances: the commit, whether it is dirty, the DVC experiment."""
    tags = {}
    if name := os.environ.get("DVC_EXP_NAME"):
        tags["dvc.exp"] = name
    if commit := _git(root, "rev-parse", "HEAD"):
        # dvc.lock and metrics change while the DAG runs; they are the result, not the code.
        changes = _git(root, "status", "--porcelain", "--", ".", ":!dvc.lock", ":!data")
        tags["mlflow.source.git.commit"] = tags["commit"] = commit
        tags["dirty"] = "true" if changes else "false"
    return tags


def _git(root: Path, *arguments: str) -> str:
    if shutil.which("git") is None:
        return ""
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
