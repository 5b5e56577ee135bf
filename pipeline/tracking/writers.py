"""Who writes a run, and whether that process lives: it holds a lock on a file of its own.

The lock ends with the process, however that ends, and is seen from another container on the same
disk; a process's number is not, and is used again.
"""

import fcntl
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TAG = "writer"  # of a run: host, process, name of the lock
LOCAL, REMOTE = "writer-local-", "writer-server-"


@contextmanager
def writer(folder: Path, *, local: bool) -> Iterator[str]:
    """Yield the tag of a writer of runs, and hold its lock in ``folder`` while the block runs.

    If the block fails, the file stays: what it left behind in the store is found by it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / f"{LOCAL if local else REMOTE}{secrets.token_hex(8)}"
        with path.open("x", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not path.exists():  # taken for a dead one's, before it was locked
                continue
            tag = f"{socket.gethostname()} {os.getpid()} {path.name}"
            # A copy of the folder is no writer: its files are others.
            file.write(f"{os.fstat(file.fileno()).st_ino} {tag}")
            file.flush()
            yield tag
            path.unlink(missing_ok=True)
            return


def is_alive(folder: Path, tag: str) -> bool:
    """Tell whether the writer of a run in the local store may still be writing."""
    name = tag.rpartition(" ")[2]
    if name.startswith(LOCAL):
        return _is_held(folder / name)
    if name.startswith(REMOTE):  # through a server, perhaps from another checkout
        path = folder / name
        return not path.exists() or _is_held(path)
    return _is_running(tag)


def dead(folder: Path, kind: str) -> dict[Path, str]:
    """Return the locks of this checkout's writers that ended in the midst, with their tags."""
    ended = {}
    for path in folder.glob(f"{kind}*"):
        with suppress(OSError):  # another process was faster
            if _is_held(path):
                continue
            number, _, tag = path.read_text(encoding="utf-8").partition(" ")
            if number == str(path.stat().st_ino):
                ended[path] = tag
            else:
                forget(path)
    return ended


def forget(path: Path) -> None:
    """Remove the lock of a writer that ended."""
    with suppress(OSError), path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def _is_held(path: Path) -> bool:
    try:
        with path.open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:  # held; or it cannot be told
        return True
    return False


def _is_running(tag: str) -> bool:
    """Tell whether the process of a tag without a lock, as older versions wrote it, runs here."""
    host, _, number = tag.rpartition(" ")
    if host != socket.gethostname():
        return False
    try:
        # A number that is used again is most likely another program's.
        return "pipeline" in Path(f"/proc/{int(number)}/cmdline").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
