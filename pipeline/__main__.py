"""The shell: ``python -m pipeline STAGE`` and the commands beside the stages.

params.yaml -> the stage's ``run`` -> its files, complete -> tracking. The only place where stages
meet processes, locks and exit codes.
"""

import argparse
import gc
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pipeline import config
from pipeline.runtime import dag, locks, provenance, results, smoke
from pipeline.tracking import backfill, store, ui
from pipeline.tracking.circumstances import Timing
from pipeline.tracking.process import TrackingProcess

# artifacts and execution import torch (2 s), which the commands beside the stages do not need: they
# are imported where a stage runs, and where an error is told.

ROOT = Path(__file__).resolve().parent.parent


def expected_errors() -> tuple[type[Exception], ...]:
    """Return the errors that are one line for the user; any other shows its traceback."""
    from pipeline.core.training.ensemble import DivergenceError
    from pipeline.runtime.artifacts import ArtifactError
    from pipeline.runtime.parallel import ExecutionError

    return (
        config.ConfigError,
        ArtifactError,
        DivergenceError,
        ExecutionError,
        locks.BusyError,
        store.TrackingError,
        smoke.QuickError,
    )


def stage_module(name: str) -> ModuleType:
    """Import a stage by its file's name."""
    return import_module(dag.module(name))


def run_stage(name: str, root: Path) -> None:
    """Run one stage: its outputs appear under data/STAGE together, or not at all."""
    locks.end_with_parent()
    started = milliseconds()
    with (
        locks.exclusive_lock(root / "data" / ".locks" / name, name),
        TrackingProcess(root) as process,  # it starts while torch is imported here
    ):
        compute(name, root)
        track(name, root, process, Timing(started, milliseconds()))


def milliseconds() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 10**6


def compute(name: str, root: Path) -> None:
    """Compute a stage's outputs and publish them."""
    # Python would look through all objects of torch for garbage while it imports: 0.2 s.
    gc.disable()
    from pipeline.runtime import parallel

    parallel.use_one_thread()
    stage = stage_module(name)
    gc.freeze()
    gc.enable()
    out = root / "data" / name
    partial = root / "data" / ".partial" / name
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        params = config.load(root / config.FILE, stage.Params)
        measured = stage.run(params, root / "data", partial)
        if measured is not None:
            write_results(partial, measured, stage.HEADLINE)
        publish(partial, out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_results(out: Path, measured: results.Results, headline: Sequence[str]) -> None:
    """Write all that a stage measured, and the numbers to compare."""
    from pipeline.runtime import artifacts

    artifacts.write_json(out / "results.json", measured)
    artifacts.write_json(out / "metrics.json", results.headline(measured, headline))


def publish(partial: Path, out: Path) -> None:
    """Move finished files to where the next stages read them."""
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(partial.iterdir()):
        path.replace(out / path.name)


def track(name: str, root: Path, process: TrackingProcess, timing: Timing) -> None:
    """Log a finished stage; a failure costs a warning and never a result."""
    try:
        process.record(provenance.from_workspace(root, name), timing)
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        print(
            f"warning: {name}: not tracked ({type(error).__name__}: {reason}); its results are "
            "complete, and `python -m pipeline track` logs them later",
            file=sys.stderr,
        )


def check(root: Path) -> None:
    """Check params.yaml as a whole, without DVC."""
    stage_module("check_params").check(root)


def parser(names: list[str]) -> argparse.ArgumentParser:
    """Build the command line."""
    top = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in names:
        commands.add_parser(name, help=f"run the stage {name} (dvc repro does)")
    commands.add_parser("check", help="check params.yaml as a whole")
    commands.add_parser("deps", help="write every stage's real code dependencies into dvc.yaml")
    commands.add_parser("prepare", help="create the tracking store if there is none")
    commands.add_parser("track", help="log the stages that dvc.lock holds and MLflow does not")
    ui = commands.add_parser("ui", help="serve the MLflow UI")
    ui.add_argument("--port", type=int, default=5000)
    small = commands.add_parser("quick", help="run the whole DAG at small scale in a scratch copy")
    small.add_argument("folder", type=Path, nargs="?", help="the copy (default: a temporary one)")
    return top


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Run one command; return the exit code."""
    # MLflow's and DVC's children end on SIGTERM with a traceback unless it is an exit.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    names = dag.stage_names(root)
    options = parser(names).parse_args(arguments)
    commands: dict[str, Callable[[], object]] = {
        "check": lambda: check(root),
        "deps": lambda: dag.write_deps(root),
        "prepare": lambda: store.prepare(root),
        "track": lambda: backfill.log_missing(root, provenance.from_lock(root)),
        "ui": lambda: ui.serve(root, options.port),
        "quick": lambda: smoke.run(root, options.folder),
    }
    try:
        commands.get(options.command, lambda: run_stage(options.command, root))()
    except expected_errors() as error:
        print(f"error: {options.command}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {options.command}: cannot read or write: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"error: {options.command}: interrupted; run it again", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    code = main()
    # At its end Python would look through all objects of torch and MLflow for garbage: a second.
    gc.freeze()
    sys.exit(code)
