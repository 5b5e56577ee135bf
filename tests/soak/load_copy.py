"""A small-scale copy of the repository, of which some stages are made; and what MLflow holds."""

import os
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline.runtime import provenance, smoke
from pipeline.runtime.files import md5
from soak.load_rows import QUERY, Row

ROOT = Path(__file__).resolve().parents[2]
STAGE = "conjunction_train_mlp"  # has child runs
TARGETS = (STAGE, "conjunction_measure_gains")  # the second needs check_params alone
SECONDS = 600.0  # for a command on a machine with other work
DONE = re.compile(r"^(\w+): done in", re.MULTILINE)  # a stage says it once its run is logged
OF_STAGE = f"SELECT run_uuid FROM tags WHERE key = 'stage' AND value = '{STAGE}'"
# Of one execution alone: a run that is filled in later has none of them.
EXECUTION = "('stage_seconds', 'cells_computed', 'cells_kept', 'workers_idle_share')"
Ask = Callable[[str], list[tuple[Any, ...]]]


def start(copy: Path, *command: str, **options: Any) -> "subprocess.Popen[str]":
    """Start ``python -m COMMAND`` in the copy, with its stdout and stderr as pipes."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    server = options.pop("server", "")
    named = {"MLFLOW_TRACKING_URI": server} if server else {}
    return subprocess.Popen(
        [sys.executable, "-m", *command], cwd=copy, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**smoke.environment(), "PATH": path, **named}, **options,
    )  # fmt: skip


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Return a process's exit status, stdout and stderr; after a while it is killed."""
    try:
        said, errors = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
    return process.returncode, said, errors


def run(copy: Path, *command: str, **options: Any) -> str:
    """Return all that ``python -m COMMAND`` says, which must succeed."""
    code, said, errors = finish(start(copy, *command, **options))
    assert code == 0, said + errors
    return said + errors


def make(copy: Path) -> Path:
    """Make the copy and its stages."""
    smoke.make_copy(ROOT, smoke.repository_files(ROOT), copy)
    run(copy, "dvc", "repro", *TARGETS)
    return copy


def outputs(copy: Path) -> dict[str, str]:
    """Return the md5 of every file that dvc.lock names as a stage's output, as it is now."""
    entries = provenance.from_lock(copy).values()
    return {path: md5(copy / path) for entry in entries for path in entry.outs}


def executions(said: Iterable[str]) -> Counter[str]:
    """Count the executions of each stage in what commands said."""
    return Counter(name for text in said for name in DONE.findall(text))


def ask_file(copy: Path, query: str) -> list[tuple[Any, ...]]:
    """Ask the copy's own store, or change it."""
    with closing(sqlite3.connect(copy / "mlflow.db")) as connection, connection:
        return connection.execute(query).fetchall()


def visible(ask: Ask, kept: Iterable[str] = ()) -> Counter[tuple[str, str]]:
    """Count the stages' visible runs, by name and status, those kept apart."""
    query = (
        "SELECT run_uuid, name, status FROM runs WHERE lifecycle_stage = 'active' AND run_uuid "
        "NOT IN (SELECT run_uuid FROM tags WHERE key = 'mlflow.parentRunId')"
    )
    apart = set(kept)
    return Counter((name, status) for run, name, status in ask(query) if run not in apart)


def record_of_stage(ask: Ask) -> tuple[Counter[tuple[str, str]], list[Row]]:
    """Return the visible runs of the one stage, with its children, and all their metrics."""
    runs = (
        "SELECT name, status FROM runs WHERE lifecycle_stage = 'active' AND run_uuid IN "
        f"({OF_STAGE})"
    )
    rows = ask(f"{QUERY} AND runs.run_uuid IN ({OF_STAGE}) AND metrics.key NOT IN {EXECUTION}")
    return Counter(ask(runs)), sorted(rows)


def put_aside(ask: Ask) -> None:
    """Let a store forget the one stage's runs, so that it may be logged once more."""
    ask(f"UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid IN ({OF_STAGE})")
    ask(f"DELETE FROM tags WHERE key = 'dvc.entry' AND run_uuid IN ({OF_STAGE})")
