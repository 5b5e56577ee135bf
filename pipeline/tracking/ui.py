"""The MLflow UI: one small local server over the store in the repository's root."""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from pipeline.tracking.server.address import checked_server, server, shown
from pipeline.tracking.server.secrets import SERVER, TrackingError
from pipeline.tracking.store import ARTIFACTS, address, configure_env, prepare, store_root

HOST = "127.0.0.1"
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
NAMES, ORIGINS = "MLFLOW_SERVER_ALLOWED_HOSTS", "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"
START_SECONDS = 120.0
STOP_SECONDS = 5.0


def serve(root: Path, port: int, host: str = HOST, say: Callable[[str], object] = print) -> None:
    """Serve the UI until Ctrl-C, and say where when it answers.

    ``host`` is a name or an address of this machine, at which browsers reach it. Raises
    TrackingError if nothing can listen there or the server ends by itself.
    """
    if server():
        raise TrackingError(
            f"{SERVER} is set: the runs and their UI are at {shown(checked_server())}"
        )
    _refuse_busy(host, port)
    prepare(root)
    configure_env()
    # A shell's background job inherits that Ctrl-C is ignored; here it must end the server.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(
        _command(root, port, host),
        cwd=store_root(root),
        env={**os.environ, **_environment(root), **_allowed(host, port)},
        start_new_session=True,  # one group, so that the server's own children end with it
    )
    try:
        _await(child, port, EVERYWHERE.get(host, host))
        _say_where(host, port, say)
        child.wait()
        raise TrackingError(f"the MLflow server ended by itself (exit code {child.returncode})")
    except KeyboardInterrupt:
        say("")
    finally:
        _end(child)


def _say_where(host: str, port: int, say: Callable[[str], object]) -> None:
    if host in EVERYWHERE:
        named = os.environ.get(NAMES) or ", ".join(_own_names())
        say(f"it answers to: {named} (set {NAMES}=NAME,... for others)")
    if not _is_loopback(host):
        say(f"whoever reaches port {port} can read and change the runs: there is no password")
    name = _in_url(socket.gethostname() if host in EVERYWHERE else host)
    say(f"MLflow UI: http://{name}:{port} (Ctrl-C ends it)")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _own_names() -> list[str]:
    """Return the names and addresses that this machine has, as far as it knows."""
    name = socket.gethostname()
    names = {name, socket.getfqdn()}
    with suppress(OSError):
        names |= {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
    with suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; tells the address that leads outside
        names.add(probe.getsockname()[0])
    return sorted(_in_url(each) for each in names)


def _allowed(host: str, port: int) -> dict[str, str]:
    """Return by which names the server lets itself be called; MLflow's own are this machine's.

    MLflow refuses any other Host header, and any request that changes or searches something from a
    page of another origin than localhost, also from its own page.
    """
    if os.environ.get(NAMES):
        names = os.environ[NAMES].split(",")
    elif _is_loopback(host):
        return {}
    else:
        given = _own_names() if host in EVERYWHERE else [_in_url(host)]
        local = ["localhost", "127.0.0.1", "[::1]"]
        names = [text for name in [*given, *local] for text in (name, f"{name}:{port}")]
    origins = [f"{scheme}://{name.strip()}" for name in names for scheme in ("http", "https")]
    return {NAMES: ",".join(names), ORIGINS: os.environ.get(ORIGINS) or ",".join(origins)}


def _refuse_busy(host: str, port: int) -> None:
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        busy = getattr(error, "errno", None) == errno.EADDRINUSE
        advice = f"another: make ui PORT={port + 1}"
        if not busy and host != HOST:
            advice = "a name or an address of this machine: make ui HOST=0.0.0.0"
        raise TrackingError(
            f"port {port} of {host} cannot be used ({reason}); choose {advice}"
        ) from error


def _command(root: Path, port: int, host: str) -> list[str]:
    options = {
        "--backend-store-uri": address(root),
        "--registry-store-uri": address(root),
        "--default-artifact-root": ARTIFACTS,
        "--host": host,
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


def _await(child: "subprocess.Popen[bytes]", port: int, host: str) -> None:
    opener = build_opener(ProxyHandler({}))  # a proxy does not know this machine's own addresses
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise TrackingError(f"the MLflow server did not start (exit code {child.returncode})")
        try:
            with opener.open(f"http://{_in_url(host)}:{port}/health", timeout=1):
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
