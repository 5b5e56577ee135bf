"""Log the executions that dvc.lock holds and the store does not: ``python -m pipeline track``."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.runtime.files import md5
from pipeline.runtime.provenance import Execution
from pipeline.tracking import writers
from pipeline.tracking.record import record
from pipeline.tracking.server.secrets import StoreError, TrackingError, one_line
from pipeline.tracking.store import (
    DELETED,
    SAY,
    lock_folder,
    logged_hashes,
    server,
    settle,
    unfinished,
    writing,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient


def log_missing(
    root: Path, executions: Mapping[str, Execution], say: Callable[[str], object] = SAY
) -> None:
    """Log the executions that the store does not hold and whose files are on disk, and say which.

    Fast when there is nothing to do: MLflow is not imported then. Raises TrackingError at the end
    if some could not be logged, StoreError at once if none can be.
    """
    settle(root)
    known = logged_hashes(root, [execution.hash for execution in executions.values()], say)
    _hide_half_written(root)
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
        except StoreError:  # the others would fail alike
            raise
        except Exception as error:  # whatever MLflow raises, the others go on
            failed.append(f"{name} ({one_line(error)})")
    if failed:
        raise TrackingError(f"could not log {', '.join(failed)}")


def _changed(root: Path, execution: Execution) -> str:
    """Return the first output that is missing or has other content, or nothing."""
    for path, expected in execution.outs.items():
        if not (root / path).exists() or md5(root / path) != expected:
            return path
    return ""


def _hide_half_written(root: Path) -> None:
    """Hide what a writer left half-written that was killed: in the local store, whoever it was.

    On a server it is this checkout's own.
    """
    folder = lock_folder(root)
    ended = writers.dead(folder, writers.REMOTE if server() else writers.LOCAL)
    if server():
        if ended:
            with writing(root) as (client, experiment):
                for tag in ended.values():
                    query = f"tags.{writers.TAG} = '{tag}' and attributes.status = 'RUNNING'"
                    found = client.search_runs([experiment], query)
                    _hide(client, experiment, [run.info.run_id for run in found])
    else:
        unsure = [run for run, tag in unfinished(root) if not writers.is_alive(folder, tag)]
        # A writer that finished meanwhile gave up its lock after its runs were.
        if unsure and (dead := {run for run, _ in unfinished(root)}.intersection(unsure)):
            with writing(root) as (client, experiment):
                _hide(client, experiment, dead)
    for path in ended:
        writers.forget(path)


def _hide(client: "MlflowClient", experiment: str, runs: Iterable[str]) -> None:
    """Hide runs and their child runs, which may be finished."""
    identities = dict.fromkeys(runs)
    for run in list(identities):
        children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run}'")
        identities |= dict.fromkeys(child.info.run_id for child in children)
    for identity in identities:
        if client.get_run(identity).info.lifecycle_stage != DELETED:  # by another process
            client.set_terminated(identity, status="FAILED")
            client.delete_run(identity)
