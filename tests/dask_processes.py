"""A Dask cluster of real processes on this machine, which a test may kill."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import work

from pipeline.__main__ import ROOT

MODULE = [sys.executable, "-W", "ignore", "-m"]
QUIET = ["--no-dashboard", "--host", "127.0.0.1"]


class Cluster:
    """A scheduler, and the workers that are started for it; ``folder`` has their files."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.file = folder / "scheduler.json"
        arguments = ["--port", "0", "--scheduler-file", str(self.file)]
        self.scheduler = self._start("scheduler", *arguments)
        self.workers: list[subprocess.Popen[bytes]] = []
        assert work.until(self._listens), self.log("scheduler")

    @property
    def address(self) -> str:
        return json.loads(self.file.read_text())["address"]

    def start_worker(
        self, *, threads: int = 1, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a worker without a nanny, which would start it again when it is killed."""
        started = self._start(
            "worker",
            self.address,
            "--no-nanny",
            *("--nthreads", str(threads), "--local-directory", str(self.folder)),
            environment=environment,
        )
        self.workers.append(started)
        return started

    def log(self, role: str) -> str:
        return (self.folder / f"{role}.log").read_text()

    def _listens(self) -> bool:
        return self.file.exists() and self.file.read_text().endswith("}")

    def _start(
        self, role: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        with (self.folder / f"{role}.log").open("ab") as log:
            return subprocess.Popen(
                [*MODULE, f"distributed.cli.dask_{role}", *QUIET, *arguments],
                cwd=self.folder,
                env=os.environ
                | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
                | (environment or {}),
                stdout=log,
                stderr=log,
            )

    def stop_workers(self) -> None:
        for process in self.workers:
            process.kill()
            process.wait()
        self.workers.clear()

    def stop(self) -> None:
        self.stop_workers()
        self.scheduler.kill()
        self.scheduler.wait()


@contextmanager
def cluster(folder: Path, workers: int = 0) -> Iterator[Cluster]:
    """Run a cluster for as long as the block lasts."""
    started = Cluster(folder)
    try:
        for _ in range(workers):
            started.start_worker()
        yield started
    finally:
        started.stop()
