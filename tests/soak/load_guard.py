"""Run a server that ends with its user: ``python load_guard.py STOP ACCOUNT COMMAND``.

The guard holds the other end of a pipe, which closes even when its user is killed. Then, or told
to, it sends the server the signal STOP, and after a while kills it with all its processes. It says
the server's process id on stdout.
"""

import contextlib
import os
import pwd
import signal
import subprocess
import sys

USER = "postgres"  # what root is to become, which PostgreSQL refuses to run as
SECONDS = 10.0


def main(stop: int, account: str, command: list[str]) -> None:
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,  # the log; nobody reads the pipe, and a full one would stop the server
        start_new_session=True,
        **become(account),
    )
    print(server.pid, flush=True)  # noqa: T201
    os.close(1)
    sys.stdin.buffer.read()  # until its user closes it or is gone
    for number in (stop, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(server.pid, number)
            server.wait(SECONDS)
    server.wait()


def become(account: str) -> dict[str, object]:
    """Return what subprocess needs to run a program under an account; none named: as ourselves."""
    if not account:
        return {}
    entry = pwd.getpwnam(account)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
