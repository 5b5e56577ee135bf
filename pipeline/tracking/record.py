"""Log one execution of a stage, whose files are complete, as one run with its child runs."""

import getpass
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipeline.runtime.provenance import Execution
from pipeline.tracking.children import child_runs, read_entries
from pipeline.tracking.circumstances import (
    Timing,
    commit_tags,
    machine_tags,
    time_of_files,
    version_tags,
)
from pipeline.tracking.database import is_locked
from pipeline.tracking.runs import Point, Run, copied_files, describe, record_of
from pipeline.tracking.server.patience import unlimited
from pipeline.tracking.store import configure_env, lock_folder, server, writing
from pipeline.tracking.writers import TAG, writer

if TYPE_CHECKING:
    from mlflow import MlflowClient

Item = TypeVar("Item")

PARAMS_PER_BATCH, POINTS_PER_BATCH = 100, 900  # MLflow takes 100 params, 1000 entities in all
# What record() imports: the client, the local store, the data types.
MODULES = ("mlflow.tracking", "mlflow.store.tracking.sqlalchemy_store", "mlflow.entities")
SECONDS_PER_RUN, SECONDS_TO_REGISTER = 10.0, 120.0


def import_mlflow() -> None:
    """Import what :func:`record` needs, which takes seconds."""
    configure_env()
    for name in MODULES:
        import_module(name)


def record(
    root: Path,
    execution: Execution,
    timing: Timing | None = None,
    commit: Mapping[str, str] | None = None,
    expect: Callable[[float], object] = unlimited,
) -> None:
    """Log one execution, whose files are on disk, as one finished run with its child runs.

    ``timing`` is that of a stage that just ran here; without it the run is dated by its files and
    names no duration and no processor. ``commit`` are the tags of the commit that it ran with, by
    default today's. ``expect`` is told before each step how many seconds it may take at most.

    If it fails, no run stays visible. Raises TrackingError or ArtifactError for what the user can
    mend, and whatever MLflow raises.
    """
    entries = read_entries(root, execution)
    stage, children = describe(root, execution, entries), child_runs(root, execution, entries)
    written = time_of_files(root, execution)
    tags = {
        **_circumstances(root, execution, timing),
        **(commit_tags(root) if commit is None else commit),
    }
    points = [(name, value, 0) for name, value in timing.metrics.items()] if timing else []
    with (
        writing(root, expect) as (client, experiment),
        writer(lock_folder(root), local=not server()) as name,
        _all_or_none(client) as started,
    ):
        tags |= _origin(name)
        runs = _Runs(client, experiment, timing or Timing(written, written), started)
        expect(SECONDS_PER_RUN)
        parent = runs.start(stage, tags, points)
        _copy_files(client, parent, root, execution)
        for child in children:
            expect(SECONDS_PER_RUN)
            runs.start(child, {"mlflow.parentRunId": parent, **_origin(name)})
        for child, identity in zip(children, started[1:], strict=True):
            if child.trained is not None and child.trained.register_as is not None:
                expect(SECONDS_TO_REGISTER)
                # Its imports cost seconds, and few stages register a model.
                import_module("pipeline.tracking.registry").register(
                    client, identity, child.trained, root / "data" / execution.stage
                )
        for identity in reversed(started):  # the stage's run last: it says that all is there
            expect(SECONDS_PER_RUN)
            client.set_terminated(identity, end_time=runs.timing.ended_ms)


def _circumstances(root: Path, execution: Execution, timing: Timing | None) -> dict[str, str]:
    if timing is None:
        known = version_tags(root, execution, just_ran=False)
        return {**known, "times": "the outputs' modification time"}
    return {**version_tags(root, execution, just_ran=True), **machine_tags(), "times": "measured"}


class _Runs:
    """Starts runs of one time; their ids go into ``started``."""

    def __init__(
        self, client: "MlflowClient", experiment: str, timing: Timing, started: list[str]
    ) -> None:
        self.client, self.experiment, self.timing = client, experiment, timing
        self.started = started

    def start(self, run: Run, tags: Mapping[str, str], points: Sequence[Point] = ()) -> str:
        """Start a run and log its params and points in as few batches as MLflow takes."""
        from mlflow.entities import Metric, Param

        created = self.client.create_run(
            self.experiment,
            start_time=self.timing.started_ms,
            tags={**run.tags, **tags},
            run_name=run.name,
        )
        identity = str(created.info.run_id)
        self.started.append(identity)
        params = [Param(key, value) for key, value in run.params.items()]
        metrics = [
            Metric(key, value, self.timing.ended_ms, step)
            for key, value, step in [*run.points, *points]
        ]
        for some_params, some_metrics in zip_longest(
            _batches(params, PARAMS_PER_BATCH), _batches(metrics, POINTS_PER_BATCH), fillvalue=()
        ):
            self.client.log_batch(identity, metrics=some_metrics, params=some_params)
        return identity


def _batches(items: list[Item], size: int) -> Iterator[list[Item]]:
    return (items[i : i + size] for i in range(0, len(items), size))


def _copy_files(client: "MlflowClient", run: str, root: Path, execution: Execution) -> None:
    """Copy the outputs that are small, and the whole record, into a run's artifacts."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for path in copied_files(root, execution):
            (folder / path.name).symlink_to(path.resolve())
        text = json.dumps(record_of(execution), indent=1, default=str)
        (folder / "execution.json").write_text(text + "\n", encoding="utf-8")
        client.log_artifacts(run, scratch)


@contextmanager
def _all_or_none(client: "MlflowClient") -> Iterator[list[str]]:
    """Yield a list for the ids of started runs; if the block fails, fail and hide them all."""
    started: list[str] = []
    try:
        yield started
    except BaseException as error:
        # The first error is the one to tell; what stays visible, `track` hides later.
        with suppress(Exception):
            for run in [] if is_locked(error) else started:
                client.set_terminated(run, status="FAILED")
                client.delete_run(run)
        raise


def _origin(writer: str) -> dict[str, str]:
    """Return who writes a run: a user, and a writer whom ``backfill`` may find dead."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        user = "unknown"
    return {
        TAG: writer,
        "mlflow.user": user,
        "mlflow.source.name": "attention-lab",
        "mlflow.source.type": "LOCAL",
    }
