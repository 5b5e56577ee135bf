"""Ask git about this checkout, whatever the user's shell, settings and rights are.

Variables of git's own (a hook sets them, and leads to the repository that it runs in) are left
out, messages are English, and nothing is written: no lock, no index, no fetch.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

SECONDS = 5.0  # for one answer; a repository on a network disk may never give one
KEPT = ("GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH")
# A checkout that another user owns: its code runs already, so git may read it too. Git takes this
# from a command line, not from the checkout; before 2.38 from neither.
TRUSTED = ("-c", "safe.directory=*")
# No program of the user's, no index of git's own, and executable bits do not count.
PLAIN = ("core.fsmonitor=false", "core.splitIndex=false", "core.fileMode=false")


class GitError(RuntimeError):
    """Git gave no answer; the message is its own, in one line."""


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment without what leads git elsewhere, with ``changes``."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in KEPT}
    quiet = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    return {**kept, **quiet, **(changes or {})}


def ask(
    root: Path,
    *arguments: str,
    index: Path | None = None,
    seconds: float = SECONDS,
) -> bytes:
    """Return what a git command prints in ``root``; with an ``index`` beside the repository's own.

    Raises GitError if there is no git, if it fails, and if it takes longer than ``seconds``.
    """
    settings = [part for setting in PLAIN for part in ("-c", setting)]
    command = ["git", *TRUSTED, *settings, "-C", str(root), *arguments]
    try:
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,  # the tracking process reads its request there
            capture_output=True,
            env=environment({} if index is None else {"GIT_INDEX_FILE": str(index)}),
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed") from error
    except OSError as error:
        raise GitError(f"git cannot be started ({error})") from error
    except subprocess.TimeoutExpired as error:
        raise GitError(f"git {arguments[0]} gave no answer in {seconds:.0f} s") from error
    if finished.returncode:
        raise GitError(reason(finished.stderr) or f"git {arguments[0]} failed")
    return finished.stdout


def reason(stderr: bytes) -> str:
    """Return git's error without its advice: the first line that says what is wrong."""
    lines = stderr.decode(errors="replace").splitlines()
    told = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return " ".join(told[0].split()) if told else ""


def of_checkout(root: Path) -> bool:
    """Tell whether a folder is inside a git checkout, without asking git."""
    folder = root.resolve()
    return any((above / ".git").exists() for above in (folder, *folder.parents))
