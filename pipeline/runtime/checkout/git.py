"""Ask git about this checkout, whatever the user's shell, settings and rights are.

Variables of git's own (a hook sets them, and leads to the repository that it runs in) are left
out, messages are English, and a question writes nothing: no lock, no index, no fetch.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

SECONDS = 5.0  # for one answer; a repository on a network disk may never give one
KEPT = ("GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_EXEC_PATH")
# A checkout that another user owns: its code runs already, so git may read it too. Git takes this
# from a command line, not from the checkout; before 2.38 from neither.
TRUSTED = ("-c", "safe.directory=*")
# No program of the user's is started, and no second file of an index is written.
PLAIN = ("core.fsmonitor=false", "core.splitIndex=false")


class GitError(RuntimeError):
    """Git gave no answer; the message is its own, in one line."""


def environment() -> dict[str, str]:
    """Return this process's environment without what leads git elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in KEPT}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}


def ask(
    root: Path,
    *arguments: str,
    settings: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> bytes:
    """Return what a git command prints in ``root``, with settings and variables of this call's.

    Raises GitError if there is no git, if it fails, and if it takes longer than ``seconds``.
    """
    options = [part for setting in (*PLAIN, *settings) for part in ("-c", setting)]
    command = ["git", *TRUSTED, *options, "-C", str(root), *arguments]
    try:
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,  # the tracking process reads its request there
            capture_output=True,
            env={**environment(), **(variables or {})},
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


def without_settings(home: Path) -> dict[str, str]:
    """Return variables that keep the user's and the system's settings away, hooks included.

    ``home`` is a folder without settings of git's, or none at all.
    """
    return {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


def reason(stderr: bytes) -> str:
    """Return git's error without its advice: the first line that says what is wrong."""
    lines = stderr.decode(errors="replace").splitlines()
    told = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    return " ".join(told[0].split()) if told else ""


def of_checkout(root: Path) -> bool:
    """Tell whether a folder is inside a git checkout, without asking git."""
    folder = root.resolve()
    return any((above / ".git").exists() for above in (folder, *folder.parents))
