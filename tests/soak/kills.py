"""A small copy of the repository in which stages are killed and run again."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

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
WORKERS = ("multiprocessing.forkserver", "multiprocessing.spawn")
RUNS = """
SELECT runs.run_uuid, runs.status, parent.value, entry.value FROM runs
LEFT JOIN tags parent ON parent.run_uuid = runs.run_uuid AND parent.key = 'mlflow.parentRunId'
LEFT JOIN tags entry ON entry.run_uuid = runs.run_uuid AND entry.key = 'dvc.entry'
WHERE runs.lifecycle_stage = 'active'
"""
END_SECONDS, PATIENCE_SECONDS = 15.0, 600.0  # for orphans to end; for a stage on a busy machine


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


def make_bed(folder: Path, stages: Mapping[str, str]) -> Bed:
    """Make the copy, run the stages and all that they need, then each once more for its time."""
    smoke.make_copy(ROOT, smoke.repository_files(ROOT), folder)
    bed = Bed(folder)
    bed.run("dvc", "repro", *stages)
    bed.files, bed.lock = state(folder), (folder / "dvc.lock").read_text()
    for stage in stages:
        started = time.monotonic()
        bed.run("dvc", "repro", "-f", "-s", stage)
        bed.seconds[stage] = time.monotonic() - started
        parents = {run for run, _, _, entry, name in runs(folder) if name == stage}
        counts = {sum(parent == run for _, _, parent, _, _ in runs(folder)) for run in parents}
        assert len(parents) == 2, (stage, parents)
        (bed.children[stage],) = counts
    return bed


def state(folder: Path) -> dict[str, str]:
    """The md5 of every file under data/, what is hidden included, but for locks."""
    data = folder / "data"
    inside = (path for path in data.rglob("*") if path.is_file())
    return {
        path.relative_to(data).as_posix(): files.md5(path)
        for path in inside
        if ".locks" not in path.parts
    }


def runs(folder: Path) -> list[tuple[str, str, str, str, str]]:
    """Visible runs: (id, status, parent's id, hash of its execution, name)."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        query = RUNS.replace("entry.value FROM", "entry.value, runs.name FROM")
        return list(connection.execute(query))


def living(folder: Path) -> Iterator[psutil.Process]:
    """Processes of the copy, by their current folder or their command line."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                continue
            place, words = Path(process.cwd()), " ".join(process.cmdline())
            if place == folder or folder in place.parents or str(folder) in words:
                yield process


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


def one_round(bed: Bed, stages: Mapping[str, str], random: Random) -> tuple[str, list[str]]:
    """Kill one stage, run it again as a user would; return what was done, and what is wrong."""
    stage = random.choice(sorted(stages))
    who, what = random.choice(KILLS)
    delay = random.uniform(0.0, 1.1 * bed.seconds[stage])
    before = {run for run, *_ in runs(bed.folder)}
    met = kill(bed, stage, who, what, delay)
    done = f"{stage}: {signal.Signals(what).name} to {met} after {delay:.2f} s"
    if random.random() < 0.7:  # as on a first run, when DVC's cache has no such execution
        for file in (bed.folder / ".dvc" / "cache" / "runs").rglob("*"):
            if file.is_file():
                file.unlink()
    again = bed.start("dvc", "repro", "-s", stage)  # at once: it meets what may be left
    printed, _ = again.communicate(timeout=PATIENCE_SECONDS)
    if again.returncode:
        return done, [f"the rerun failed: {printed[-2000:]}"]
    tracked = bed.run("pipeline", "track")
    wrong = list(faults(bed, stage, before))
    return done, [f"{fault} (track: {tracked.strip()})" for fault in wrong]


def faults(bed: Bed, stage: str, before: set[str]) -> Iterator[str]:
    """What a killed and repeated stage left that an undisturbed one would not."""
    now = state(bed.folder)
    for path in sorted(now.keys() | bed.files.keys()):
        if now.get(path) != bed.files.get(path):
            yield f"difference: {path}: {bed.files.get(path)} -> {now.get(path)}"
    if (bed.folder / "dvc.lock").read_text() != bed.lock:
        yield "difference: dvc.lock"
    deadline = time.monotonic() + END_SECONDS
    while (left := list(living(bed.folder))) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process in left:
        with suppress(psutil.Error):
            yield f"orphan: {process.pid} {' '.join(process.cmdline())}"
    for name in ("mlflow.db-wal", "mlflow.db-shm", "mlflow.db-journal"):
        if (bed.folder / name).exists():
            yield f"leftover: {name}"
    yield from faults_of_runs(bed, stage, before)


def faults_of_runs(bed: Bed, stage: str, before: set[str]) -> Iterator[str]:
    """What is wrong with the visible runs; ``before`` are the ids of those that stood there."""
    visible = runs(bed.folder)
    ids = {run for run, *_ in visible}
    for _, status, parent, _, name in visible:
        if status != "FINISHED":
            yield f"run: {name} is {status}"
        if parent and parent not in ids:
            yield f"run: {name} has no parent"
    new = [(run, up, name) for run, _, up, _, name in visible if run not in before]
    made = [run for run, up, name in new if not up and name == stage]
    if len(made) > 2:  # the one that was killed late, and its rerun
        yield f"run: {len(made)} runs of {stage}"
    for run in made:
        children = sum(up == run for _, up, _ in new)
        if children != bed.children[stage]:
            yield f"run: {stage} has {children} children, not {bed.children[stage]}"
