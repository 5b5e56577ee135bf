"""Make .venv ready: what the Makefile runs before every target that needs the environment.

Everything that can be refused is refused before anything is made. An environment that is ready
costs a tenth of a second; one that was cut short, or whose Python is gone, is made anew. Only the
standard library is here, and any Python that find_python.sh accepts runs it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import checkout
import packages
import relocation
from failure import SetupError

VENV = Path(".venv")
PYTHON = VENV / "bin" / "python"
READY = VENV / ".ready"  # written last: how the environment was made
UNFINISHED = VENV / ".unfinished"  # there while it is being made
LOCK = Path("data") / ".locks" / "environment"
WANTED = "{}.{}".format(*sys.version_info)
NEEDS = {packages.CPU: 2.5, packages.CUDA: 9.0}  # GB on the disk, with what pip unpacks meanwhile


def main() -> int:
    """Make the environment ready; return the exit code."""
    try:
        checkout.check(Path.cwd())
        torch = packages.chosen(os.environ.get("TORCH", ""))
        if not is_ready(torch):
            with alone():
                if not is_ready(torch):  # another make may have made it meanwhile
                    make(torch)
        relocate()
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: the environment cannot be made: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; make goes on where it can", file=sys.stderr)
        return 130
    return 0


def is_ready(torch: str) -> bool:
    """Say whether .venv is what the files ask for and, if they are named, PYTHON and TORCH."""
    made = record()
    wanted = {"requirements": requirements_digest(), "python": WANTED}
    if torch:
        wanted["torch"] = torch
    same = all(made.get(name) == value for name, value in wanted.items())
    return same and version(PYTHON) == made["python"]


def record() -> dict[str, str]:
    """Return how the environment was made; nothing if it is not known."""
    try:
        made = json.loads(READY.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return made if isinstance(made, dict) else {}


def requirements_digest() -> str:
    """Return a hash of what is installed: the lock, and this package's own metadata."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    content = [packages.pins(), project]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def version(python: Path) -> str:
    """Return the version of an interpreter, 3.11; nothing if it does not run."""
    code = "import sys; print('{}.{}'.format(*sys.version_info))"
    try:
        told = subprocess.run(
            [python, "-I", "-c", code], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return told.stdout.strip()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other make installs into this checkout."""
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for the other make that installs into .venv", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make(torch: str) -> None:
    """Make the environment, or bring it to what the files ask for."""
    if os.path.lexists(VENV) and (fault := unusable()):
        remove(fault)
    variant = torch or record().get("torch") or packages.installed_variant(PYTHON) or packages.CPU
    if not PYTHON.exists():
        start(variant)
    UNFINISHED.touch()
    READY.unlink(missing_ok=True)
    packages.install(PYTHON, variant)
    relocation.relocate(VENV)
    how = {
        "requirements": requirements_digest(),
        "python": version(PYTHON),
        "torch": variant,
        "path": os.fspath(Path.cwd()),
    }
    READY.write_text(json.dumps(how, indent=1) + "\n", encoding="utf-8")
    UNFINISHED.unlink()


def unusable() -> str:
    """Say why .venv must be made anew, or nothing."""
    if UNFINISHED.exists():
        return "was not finished"
    if not (has := version(PYTHON)):
        return "has no Python that runs"
    if has != WANTED:
        return f"is of Python {has}, and {WANTED} is asked for"
    if packages.run([PYTHON, "-m", "ensurepip", "--default-pip"]).returncode:
        return "has no pip"
    return ""


def remove(fault: str) -> None:
    """Remove .venv; SetupError if it is a link, whose other end may serve others."""
    if VENV.is_symlink():
        raise SetupError(
            f".venv {fault}, and it is a link to {VENV.readlink()}: remove the link, or what it "
            "points to"
        )
    print(f".venv {fault}: making it anew", flush=True)
    shutil.rmtree(VENV)


def start(variant: str) -> None:
    """Make an empty environment."""
    free = shutil.disk_usage(".").free / 1e9
    if free < NEEDS[variant]:
        raise SetupError(f"the environment needs {NEEDS[variant]} GB, and {free:.1f} GB are free")
    size = {packages.CPU: "2 GB on the disk, 0.6 GB", packages.CUDA: "7 GB on the disk, 4 GB"}
    print(f"installing the locked packages into .venv ({size[variant]} to fetch)", flush=True)
    VENV.mkdir(exist_ok=True)
    UNFINISHED.touch()
    made = packages.run([sys.executable, "-E", "-s", "-m", "venv", VENV])
    if made.returncode:
        raise SetupError(f"{sys.executable} cannot make .venv: {packages.last_line(made)}")


def relocate() -> None:
    """Mend what holds the checkout's path, if it was moved or copied since."""
    here = os.fspath(Path.cwd())
    made = record()
    if made.get("path") != here:
        relocation.relocate(VENV)
        READY.write_text(json.dumps({**made, "path": here}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
