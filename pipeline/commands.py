"""The command line: the stages, what stands beside them, and how their errors are told."""

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline import config
from pipeline.runtime import dag, locks, orphans, partial, provenance, smoke, verify
from pipeline.runtime.checkout import dvc_files
from pipeline.runtime.compute import account, device, heartbeat, job, numerics, parallel
from pipeline.runtime.kept import store as stores
from pipeline.tracking import backfill, store, ui
from pipeline.tracking.circumstances import Timing
from pipeline.tracking.process import TrackingProcess
from pipeline.tracking.server.secrets import guard_output, one_line, redact

# The runner imports torch (2 s), which the commands beside the stages do not need: it is imported
# where a stage runs, and where an error is told.


def expected_errors() -> tuple[type[Exception], ...]:
    """Return the errors that are one line for the user; any other shows its traceback."""
    from pipeline.core.training.ensemble import DivergenceError
    from pipeline.runtime.files import ArtifactError
    from pipeline.runtime.fingerprint import FingerprintError
    from pipeline.runtime.runner import ChangedError

    return (
        config.ConfigError,
        ArtifactError,
        ChangedError,
        device.DeviceError,
        DivergenceError,
        job.ExecutionError,
        FingerprintError,
        stores.StoreError,
        locks.BusyError,
        store.TrackingError,
        dvc_files.DvcFileError,
        smoke.QuickError,
    )


def run_stage(name: str, root: Path) -> None:
    """Run one stage, and log it when its files are complete."""
    started = milliseconds()
    orphans.end_with_dvc()
    numerics.set_environment()  # before any numeric library is loaded
    tell_device(name)
    partial.sweep(root)
    if maps_cells(name, root):
        parallel.start_early()
    # It imports MLflow while torch is imported here.
    with heartbeat.Heartbeat(name) as beat, TrackingProcess(root) as process:
        gc.disable()  # Python would look through all objects of torch for garbage meanwhile
        from pipeline.runtime import runner

        gc.freeze()
        gc.enable()
        with runner.alone(name, root):
            runner.run(name, root)
            beat.doing = "logging to MLflow"
            workers = account.of_process.metrics()
            track(name, root, process, Timing(started, milliseconds(), workers))


def maps_cells(name: str, root: Path) -> bool:
    """Tell whether a stage's code maps cells over workers, by its fingerprint, if it has one."""
    try:
        code = json.loads((root / dag.code_file(name)).read_text(encoding="utf-8"))
        return f"{parallel.__name__.replace('.', '/')}.py" in code["files"]
    except (OSError, ValueError, KeyError, TypeError):  # which the stage itself will tell
        return False


def tell_device(name: str) -> None:
    """Say in a stage's log what its cells train on, where it is not the CPU.

    Raises ExecutionError, DeviceError or StoreError for a word in the environment that cannot be
    followed.
    """
    if (told := parallel.check_environment()) != device.CPU:
        print(f"{name}: trains on {told}", file=sys.stderr, flush=True)


def milliseconds() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 10**6


def track(name: str, root: Path, process: TrackingProcess, timing: Timing) -> None:
    """Log a finished stage; a failure costs a warning and never a result."""
    try:
        process.record(provenance.from_workspace(root, name), timing)
    except Exception as error:
        print(
            f"warning: {name}: not tracked ({one_line(error)}); its results are complete, and "
            "`python -m pipeline track` logs them later",
            file=sys.stderr,
        )


def prepare(root: Path) -> None:
    """Make the tracking store ready; a failure costs a warning, since stages need none."""
    partial.sweep(root)
    try:
        store.prepare(root)
    except Exception as error:
        print(
            f"warning: prepare: {one_line(error)}; stages run all the same, and `python -m "
            "pipeline track` logs them later",
            file=sys.stderr,
        )


def log_missing(root: Path, *, warn: bool) -> None:
    """Log what dvc.lock holds of today's stages; it keeps the entries of those that are gone.

    With ``warn`` a failure costs a warning: the results that it is about are complete.
    """
    partial.sweep(root)
    try:
        _log_missing(root)
    except Exception as error:
        if not warn:
            raise
        print(
            f"warning: track: {one_line(error)}; the results are complete, and `python -m pipeline "
            "track` logs them later",
            file=sys.stderr,
        )


def _log_missing(root: Path) -> None:
    backfill.log_missing(root, provenance.from_lock(root))


def check(root: Path) -> None:
    """Check params.yaml as a whole, without DVC."""
    dag.stage_module(dag.CHECK).check(root)


def describe_cells(*, clear: bool) -> None:
    """Say what finished cells are kept; remove them if asked."""
    kept = stores.configured()
    if kept is not None and clear:
        kept.clear()
    print(f"finished cells are not kept: {stores.FOLDER}=off" if kept is None else kept.described())


def write_schema(root: Path) -> None:
    """Write the JSON Schema of params.yaml that editors read."""
    from pipeline.runtime import schema

    schema.write(root, dag.stage_module(dag.CHECK).check(root).values())


def parser(names: list[str]) -> argparse.ArgumentParser:
    """Build the command line."""
    top = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in names:
        commands.add_parser(name, help=f"run the stage {name} (dvc repro does)")
    commands.add_parser("check", help="check params.yaml as a whole")
    commands.add_parser("schema", help="write the JSON Schema of params.yaml, for editors")
    cells = commands.add_parser("cells", help="say what finished cells are kept, and where")
    cells.add_argument("--clear", action="store_true", help="remove them all")
    commands.add_parser("prepare", help="create the tracking store if there is none")
    track = commands.add_parser("track", help="log what dvc.lock holds and MLflow does not")
    track.add_argument("--warn", action="store_true", help="only warn if that fails (exit code 0)")
    ui = commands.add_parser("ui", help="serve the MLflow UI")
    ui.add_argument("--port", type=int, default=5000)
    ui.add_argument("--host", default="127.0.0.1", help="a name or address of this machine")
    small = commands.add_parser("quick", help="run the whole DAG at small scale in a scratch copy")
    small.add_argument("folder", type=Path, nargs="?", help="the copy (default: a temporary one)")
    twice = commands.add_parser("verify", help="run it twice, and compare every byte")
    twice.add_argument("targets", nargs="*", metavar="STAGE", help="default: all stages")
    twice.add_argument("--folder", type=Path, help="of the two copies (default: a temporary one)")
    return top


def run(arguments: Sequence[str], root: Path) -> int:
    """Run one command; return the exit code."""
    guard_output()
    options = parser(dag.stage_names(root)).parse_args(arguments)
    commands: dict[str, Callable[[], object]] = {
        "check": lambda: check(root),
        "schema": lambda: write_schema(root),
        "cells": lambda: describe_cells(clear=options.clear),
        "prepare": lambda: prepare(root),
        "track": lambda: log_missing(root, warn=options.warn),
        "ui": lambda: ui.serve(root, options.port, options.host),
        "quick": lambda: smoke.run(root, options.folder),
        "verify": lambda: verify.run(root, options.folder, options.targets),
    }
    try:
        commands.get(options.command, lambda: run_stage(options.command, root))()
    except expected_errors() as error:
        print(f"error: {options.command}: {redact(str(error))}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"error: {options.command}: cannot read or write: {redact(str(error))}", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print(f"error: {options.command}: interrupted; run it again", file=sys.stderr)
        return 130
    return 0
