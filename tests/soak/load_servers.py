"""Servers for a test, which end with it: PostgreSQL, and an MLflow server on a database."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import ProxyHandler, build_opener

import pytest

from pipeline.runtime import smoke
from soak import load_guard

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
# Answered only when the database is: a first request on a busy machine takes seconds.
QUESTION = "api/2.0/mlflow/experiments/get-by-name?experiment_name=Default"
START_SECONDS = 120.0  # on a machine with other work
DEBIAN = Path("/usr/lib/postgresql")  # its programs are not in the PATH


class Server:
    """A server process under a guard; it may be killed and started again in the same place."""

    def __init__(
        self,
        command: list[str],
        answers: Callable[[], bool],
        stop: int = signal.SIGTERM,
        account: str = "",
        environment: dict[str, str] | None = None,
        log: Path | None = None,
    ) -> None:
        self.command, self.answers, self.stop = command, answers, stop
        self.account, self.environment, self.log = account, environment, log

    def start(self) -> None:
        """Start it and wait until it answers."""
        with open(self.log or os.devnull, "ab") as log:  # noqa: PTH123 (os.devnull is no Path)
            self.guard = subprocess.Popen(
                [sys.executable, load_guard.__file__, str(int(self.stop)), self.account,
                 *self.command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=self.environment,
                start_new_session=True,  # Ctrl-C is for the test, which ends it
            )  # fmt: skip
        assert self.guard.stdout is not None
        self.pid = int(self.guard.stdout.readline())
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.guard.poll() is not None or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace")[-2000:] if self.log else ""
                self.end()
                raise RuntimeError(f"{self.command[0]} does not answer: {said}")
            time.sleep(0.1)

    def kill(self) -> None:
        """Kill it and its processes with SIGKILL, as a machine that goes down does."""
        os.killpg(self.pid, signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """End it, if it has not ended."""
        for pipe in (self.guard.stdin, self.guard.stdout):
            assert pipe is not None
            pipe.close()
        self.guard.wait(3 * load_guard.SECONDS)

    @contextmanager
    def running(self) -> Iterator["Server"]:
        """Start it, and end it after the block."""
        self.start()
        try:
            yield self
        finally:
            self.end()


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def programs() -> Path:
    """Return the folder of PostgreSQL's programs; skip the test where there is none."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = DEBIAN.glob("*/bin/initdb") if DEBIAN.is_dir() else ()
    for path in sorted(versions, key=lambda path: float(path.parts[-3]), reverse=True):
        return path.parent
    pytest.skip("PostgreSQL is not installed (Debian's package is `postgresql`)")


@contextmanager
def postgres() -> Iterator[tuple[Server, str]]:
    """Yield a new PostgreSQL server on a free port, and the URI of its empty database."""
    pytest.importorskip("psycopg2", reason="psycopg2-binary is not installed (extra `dev`)")
    bin_folder, port = programs(), free_port()
    database = f"postgresql+psycopg2://lab@{HOST}:{port}/postgres"
    account = load_guard.USER if os.geteuid() == 0 else ""
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    with TemporaryDirectory(prefix="lab-postgres-") as home:  # pytest's are closed to the account
        if account:
            shutil.chown(home, account, account)
        subprocess.run(
            [bin_folder / "initdb", "--pgdata", f"{home}/data", "--username=lab", "--auth=trust",
             "--no-sync", "--encoding=UTF8"],
            check=True, capture_output=True, cwd=home, env=environment,
            **load_guard.become(account),
        )  # fmt: skip
        server = Server(
            [str(bin_folder / "postgres"), "-D", f"{home}/data", "-p", str(port), "-h", HOST,
             "-k", home],
            lambda: _accepts(database),
            signal.SIGINT, account, environment, Path(home, "log"),
        )  # fmt: skip
        with server.running():
            yield server, database


def _accepts(database: str) -> bool:
    import psycopg2

    try:
        return ask(database, "SELECT 1") == [(1,)]
    except psycopg2.OperationalError:
        return False


def ask(database: str, query: str) -> list[tuple[Any, ...]]:
    """Return the rows that a query finds, or nothing for what changes rows."""
    import psycopg2

    with closing(psycopg2.connect(database.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def mlflow(folder: Path, database: str) -> Iterator[tuple[Server, str]]:
    """Yield an MLflow server on a database, with its artifacts in a folder, and its address."""
    port = free_port()
    address = f"http://{HOST}:{port}"
    words = {
        "--backend-store-uri": database, "--artifacts-destination": str(folder / "artifacts"),
        "--host": HOST, "--port": str(port), "--workers": "1",
    }  # fmt: skip
    environment = {
        **smoke.environment(),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "mlflow", "server"]
    command += [word for pair in words.items() for word in pair]
    opener = build_opener(ProxyHandler({}))

    def answers() -> bool:
        try:
            with opener.open(f"{address}/{QUESTION}", timeout=10):
                return True
        except OSError:
            return False

    server = Server(command, answers, environment=environment, log=folder / "mlflow.log")
    with server.running():
        yield server, address
