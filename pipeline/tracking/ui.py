"""The MLflow UI: one small local server over the store in the repository's root."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

from pipeline.tracking.store import (
    ARTIFACTS,
    SERVER,
    TrackingError,
    address,
    configure_env,
    prepare,
    server,
    store_root,
)

HOST = "127.0.0.1"
START_SECONDS = 120.0
STOP_SECONDS = 5.0


def serve(root: Path, port: int, say: Callable[[str], object] = print) -> None:
    """Serve the UI until Ctrl-C, and say where when it answers.

    Raises TrackingError if the port is busy or the server ends by itself.
    """
    if server():
        raise TrackingError(f"{SERVER} is set: the runs and their UI are at {server()}")
    _refuse_busy(port)
    prepare(root)
    configure_env()
    # A shell's background job inherits that Ctrl-C is ignored; here it must end the server.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(
        _command(root, port),
        cwd=store_root(root),
        env={**os.environ, **_environment(root)},
        start_new_session=True,  # one group, so that the server's own children end with it
    )
    try:
        _await(child, port)
        say(f"MLflow UI: http://{HOST}:{port} (Ctrl-C ends it)")
        child.wait()
        raise TrackingError(f"the MLflow server ended by itself (exit code {child.returncode})")
    except KeyboardInterrupt:
        say("")
    finally:
        _end(child)


def _refuse_busy(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise TrackingError(
                f"port {port} cannot be used ({reason}); choose another: make ui PORT={port + 1}"
            ) from error


def _command(root: Path, port: int) -> list[str]:
    options = {
        "--backend-store-uri": address(root),
        "--registry-store-uri": address(root),
        "--default-artifact-root": ARTIFACTS,
        "--host": HOST,
        "--port": str(port),
        "--workers": "1",
        "--uvicorn-opts": "--log-level warning",
    }
    words = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "mlflow", "server", *words, "--no-serve-artifacts"]


def _environment(root: Path) -> dict[str, str]:
    return {
        # The artifact repository in the server resolves "lab:" beside this store.
        SERVER: address(root),
        # Without it the server starts a dozen processes that this project has no use for.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        # No connection outlives its request: a stage that ends while the UI runs is the last to
        # close the store, and leaves it whole in its file.
        "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
        "PYTHONWARNINGS": "ignore",  # of its own dependencies
        # The package of this checkout, whichever one is installed.
        "PYTHONPATH": os.pathsep.join(
            [
                str(Path(__file__).resolve().parents[2]),
                *filter(None, [os.environ.get("PYTHONPATH")]),
            ]
        ),
    }


def _await(child: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise TrackingError(f"the MLflow server did not start (exit code {child.returncode})")
        try:
            with urlopen(f"http://{HOST}:{port}/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TrackingError(f"the MLflow server did not answer within {START_SECONDS:.0f} s")


def _end(child: "subprocess.Popen[bytes]") -> None:
    """End the whole group, gently and then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(STOP_SECONDS)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
