"""Log the executions that dvc.lock holds and the store does not: ``python -m pipeline track``."""

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.runtime.files import md5
from pipeline.runtime.provenance import Execution
from pipeline.tracking.record import record
from pipeline.tracking.server.secrets import StoreError, TrackingError, one_line
from pipeline.tracking.store import logged_hashes, unfinished, writing


def log_missing(
    root: Path, executions: Mapping[str, Execution], say: Callable[[str], object] = print
) -> None:
    """Log the executions that the store does not hold and whose files are on disk, and say which.

    Fast when there is nothing to do: MLflow is not imported then. Raises TrackingError at the end
    if some could not be logged, StoreError at once if none can be.
    """
    _hide_half_written(root)
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
    """Hide what a killed process of this machine left half-written in the local store."""
    dead = [run for run, writer in unfinished(root) if not _alive(writer)]
    if not dead:
        return
    with writing(root) as (client, experiment):
        for run in dead:
            children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run}'")
            for identity in [run, *(child.info.run_id for child in children)]:
                client.set_terminated(identity, status="FAILED")
                client.delete_run(identity)


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
