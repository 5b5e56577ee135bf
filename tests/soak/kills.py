"""A small copy of the repository in which stages are killed and run again."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

import psutil

from pipeline.runtime import files, smoke

ROOT = Path(__file__).resolve().parents[2]
# Whom to send what. A victim that does not live at that moment is replaced by DVC.
KILLS = (
    ("dvc", signal.SIGKILL),
    ("stage", signal.SIGKILL),
    ("group", signal.SIGKILL),
    ("worker", signal.SIGKILL),
    ("tracking", signal.SIGKILL),
    ("dvc", signal.SIGTERM),
    ("stage", signal.SIGTERM),
    ("group", signal.SIGTERM),
    ("group", signal.SIGINT),
)
FRESH = 0.7  # how often a rerun is to compute, and not to be restored from DVC's cache
WORKERS = ("multiprocessing.forkserver", "multiprocessing.spawn")
RUNS = """
SELECT runs.run_uuid, runs.name, runs.status, tags.value, (end_time - start_time) / 1000.0
FROM runs LEFT JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key = 'mlflow.parentRunId'
WHERE runs.lifecycle_stage = 'active'
"""
VERSIONS = "SELECT name, version, status, run_id FROM model_versions"
AROUND_SECONDS = 4.0  # of DVC's start, and of tracking, which follows what a run's time counts
END_SECONDS, PATIENCE_SECONDS = 15.0, 600.0  # for orphans to end; for a stage on a busy machine


class Run(NamedTuple):
    """A visible run; ``seconds`` is None while it is written."""

    id: str
    name: str
    status: str
    parent: str | None
    seconds: float


@dataclass
class Bed:
    """The copy, what the undisturbed stages left in it, and how long each takes."""

    folder: Path
    files: Mapping[str, str] = field(default_factory=dict)
    lock: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    children: dict[str, int] = field(default_factory=dict)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start Python with DVC's and the copy's modules, in a process group of its own."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env={**smoke.environment(), "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> str:
        """Run to the end; what it printed, if it ended well."""
        process = self.start(*arguments)
        printed, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, f"{' '.join(arguments)}: {printed}"
        return printed


def make_bed(folder: Path, stages: Iterable[str]) -> Bed:
    """Make the copy, and run the stages and all that they need, undisturbed."""
    smoke.make_copy(ROOT, smoke.repository_files(ROOT), folder)
    bed = Bed(folder)
    bed.run("dvc", "repro", *stages)
    remember(bed)
    return bed


def remember(bed: Bed) -> None:
    """Keep what undisturbed stages left: their files, and how long their runs are."""
    bed.files, bed.lock = state(bed.folder), (bed.folder / "dvc.lock").read_text()
    visible = runs(bed.folder)
    for run in (run for run in visible if not run.parent):
        bed.seconds[run.name] = run.seconds + AROUND_SECONDS
        bed.children[run.name] = sum(other.parent == run.id for other in visible)


def state(folder: Path) -> dict[str, str]:
    """The md5 of every file under data/, what is hidden included, but for locks."""
    data = folder / "data"
    inside = (path for path in data.rglob("*") if path.is_file())
    return {
        path.relative_to(data).as_posix(): files.md5(path)
        for path in inside
        if ".locks" not in path.parts
    }


def runs(folder: Path) -> list[Run]:
    """The visible runs of the copy's store."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        return [Run(*row) for row in connection.execute(RUNS)]


def living(folder: Path) -> Iterator[psutil.Process]:
    """Processes of the copy, by their current folder or their command line."""
    ours = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid in ours or process.status() == psutil.STATUS_ZOMBIE:
                continue
            place, words = Path(process.cwd()), " ".join(process.cmdline())
            if place == folder or folder in place.parents or str(folder) in words:
                yield process


def ended(bed: Bed) -> list[psutil.Process]:
    """Wait for the copy's processes to end; return those that do not."""
    deadline = time.monotonic() + END_SECONDS
    while (left := list(living(bed.folder))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def victim(dvc: psutil.Process, kind: str, stage: str) -> psutil.Process | None:
    """The process of a kind, if it lives."""
    marks = {"stage": (f"pipeline {stage}",), "tracking": ("tracking.process",), "worker": WORKERS}
    found = []
    with suppress(psutil.Error):
        for process in dvc.children(recursive=True):
            with suppress(psutil.Error):
                words = " ".join(process.cmdline())
                if any(mark in words for mark in marks.get(kind, ())):
                    found.append(process)
    return found[-1] if found else None  # of workers the last: the first is their server


def kill(bed: Bed, stage: str, who: str, what: signal.Signals, delay: float) -> str:
    """Run the stage, and send a signal after some seconds; say whom it met."""
    running = bed.start("dvc", "repro", "-f", "-s", stage)
    dvc = psutil.Process(running.pid)
    with suppress(subprocess.TimeoutExpired):
        running.wait(timeout=delay)
    met = "nobody"
    with suppress(ProcessLookupError, psutil.NoSuchProcess):
        if running.poll() is None:
            target = victim(dvc, who, stage)
            met = who if target or who == "group" else "dvc"
            if met == "group":
                os.killpg(running.pid, what)
            else:
                os.kill((target or dvc).pid, what)
    running.wait(timeout=PATIENCE_SECONDS)
    if running.stdout is not None:
        running.stdout.close()
    return met


def one_round(bed: Bed, stages: Sequence[str], random: Random) -> tuple[str, list[str]]:
    """Kill one stage, run it again as a user would; return what was done, and what is wrong."""
    stage, (who, what) = random.choice(stages), random.choice(KILLS)
    delay = random.uniform(0.0, bed.seconds[stage])
    before = {run.id for run in runs(bed.folder)}
    met = kill(bed, stage, who, what, delay)
    done = f"{stage}: {what.name} to {met} after {delay:.2f} s"
    if restore_cut_lock(bed):
        done += ", which cut dvc.lock"
    if random.random() < FRESH:
        forget(bed)
    again = bed.start("dvc", "repro", "-s", stage)  # at once: it meets what may be left
    printed, _ = again.communicate(timeout=PATIENCE_SECONDS)
    if again.returncode:
        return done, [f"the rerun failed: {printed[-2000:]}"]
    ended(bed)  # DVC may have restored the stage, faster than what was killed came to its end
    bed.run("pipeline", "track")
    return done, [*faults(bed), *faults_of_runs(bed, stage, before)]


def forget(bed: Bed) -> None:
    """Make DVC forget what it has run, so that it runs the stage again instead of restoring it."""
    shutil.rmtree(bed.folder / ".dvc" / "cache" / "runs", ignore_errors=True)


def restore_cut_lock(bed: Bed) -> bool:
    """Do what README advises if DVC was killed while it wrote dvc.lock; return whether it was.

    DVC writes the file in place, so a kill may leave its beginning alone.
    """
    lock = bed.folder / "dvc.lock"
    text = lock.read_text() if lock.exists() else ""
    cut = text != bed.lock and bed.lock.startswith(text)
    if cut:
        lock.write_text(bed.lock)  # git checkout dvc.lock
    return cut


def mend(bed: Bed, stages: Sequence[str]) -> None:
    """Undo what a round left, so that the next one starts as the first did."""
    for process in living(bed.folder):
        with suppress(psutil.Error):
            process.kill()
    for path in state(bed.folder).keys() - bed.files.keys():
        (bed.folder / "data" / path).unlink()
    bed.run("dvc", "repro", *stages)
    bed.run("pipeline", "track")


def faults(bed: Bed) -> Iterator[str]:
    """What a killed and repeated stage left in files or processes that no undisturbed one would."""
    now = state(bed.folder)
    for path in sorted(now.keys() | bed.files.keys()):
        if now.get(path) != bed.files.get(path):
            yield f"difference: data/{path}: {bed.files.get(path)} -> {now.get(path)}"
    if (bed.folder / "dvc.lock").read_text() != bed.lock:
        yield "difference: dvc.lock"
    for process in ended(bed):
        with suppress(psutil.Error):
            yield f"orphan: {process.pid} {' '.join(process.cmdline())}"
    for name in (*bed.folder.glob("mlflow.db?*"), *bed.folder.glob(".mlflow.db*")):
        yield f"leftover: {name.name}"
    partial = bed.folder / "data" / ".partial"
    for name in partial.iterdir() if partial.is_dir() else ():
        yield f"leftover: data/.partial/{name.name}"


def faults_of_runs(bed: Bed, stage: str, before: set[str]) -> Iterator[str]:
    """What is wrong with the visible runs; ``before`` are the ids of those that stood there."""
    visible = runs(bed.folder)
    ids = {run.id for run in visible}
    for run in visible:
        if run.status != "FINISHED":
            yield f"run: {run.name} is {run.status}"
        if run.parent and run.parent not in ids:
            yield f"run: {run.name} has no parent"
    made = [run.id for run in visible if run.name == stage and run.id not in before]
    if len(made) > 2:  # the one that was killed late, and its rerun
        yield f"run: {len(made)} new runs of {stage}"
    for one in made:
        children = sum(run.parent == one for run in visible)
        if children != bed.children[stage]:
            yield f"run: {stage} has {children} children, not {bed.children[stage]}"
    with closing(sqlite3.connect(bed.folder / "mlflow.db")) as connection:
        for name, version, status, run_id in connection.execute(VERSIONS):
            if status != "READY" or run_id not in ids:
                seen = "visible" if run_id in ids else "hidden"
                yield f"run: version {version} of {name} is {status}, of a {seen} run"
