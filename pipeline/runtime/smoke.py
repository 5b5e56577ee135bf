"""The whole DAG at small scale, in a scratch copy of the repository.

The copy has its own params (params.yaml with the values of tests/small_params.yaml laid over), git
history, DVC cache and tracking store; the repository itself is only read.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline import config, presets
from pipeline.runtime import provenance
from pipeline.runtime.checkout import git

SMALL = Path("tests") / "small_params.yaml"
AUTHOR = ("user.name=quick", "user.email=quick@localhost")
SECONDS = 600.0  # for git to list or copy a repository on a slow disk
# What would lead git, DVC, MLflow or Python's imports out of the copy.
FOREIGN = ("DVC_", "GIT_", "MLFLOW_TRACKING_URI", "PYTHONPATH", "PYTHONSAFEPATH")


class QuickError(RuntimeError):
    """The small-scale run cannot be made or failed; the message is one line for the user."""


def run(root: Path, folder: Path | None, say: Callable[[str], object] = print) -> None:
    """Run the DAG at small scale in a copy of ``root`` (default: a new temporary folder, kept).

    Raises QuickError if the copy cannot be made, an override names no key of params.yaml, or a
    stage fails.
    """
    files = repository_files(root)
    copy = Path(tempfile.mkdtemp(prefix="attention-lab-")) if folder is None else folder.resolve()
    say(f"copying to {copy}")
    make_copy(root, files, copy)
    started = time.monotonic()
    # DVC and its stages' `python` are those of this interpreter, whatever the shell's PATH says.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    finished = subprocess.run(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=copy,
        env={**environment(), "PATH": path},
        check=False,
    )
    if finished.returncode:
        raise QuickError(f"dvc repro failed in {copy} (exit code {finished.returncode})")
    say(f"ok: the whole DAG at small scale in {time.monotonic() - started:.0f} s, in {copy}")


def make_copy(root: Path, files: list[Path], copy: Path) -> None:
    """Copy the files into a new git and DVC repository with the small params."""
    if copy.exists() and any(copy.iterdir()):
        raise QuickError(f"{copy} is not empty; name a folder that is new or empty")
    # Without dvc.lock: DVC would read and write the full scale's entries again after every stage.
    for file in (file for file in files if file != Path(provenance.LOCK)):
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / file, copy / file, follow_symlinks=False)
    overlay(copy / config.FILE, copy / SMALL)
    commit(copy)
    # A cache that the user's configuration names would fill with the small scale's files.
    (copy / ".dvc" / "config.local").write_text("[cache]\n    dir = cache\n", encoding="utf-8")


def repository_files(root: Path) -> list[Path]:
    """Return the files that git tracks or would track.

    Raises QuickError if there is no git checkout, or one without what the copy needs.
    """
    try:
        listing = git.ask(root, "ls-files", "-co", "--exclude-standard", "-z", seconds=SECONDS)
    except git.GitError as error:
        raise QuickError(f"git does not list the files of {root}: {error}") from error
    # A file in conflict is listed for each of its sides.
    names = sorted({os.fsdecode(name) for name in listing.split(b"\0") if name})
    files = [Path(name) for name in names if (root / name).is_file()]
    for needed in (Path(config.FILE), Path("dvc.yaml"), Path(".dvc") / "config", SMALL):
        if needed not in files:
            raise QuickError(f"{needed} is not among the files of {root} that git tracks or would")
    return files


def environment() -> dict[str, str]:
    """Return this process's environment without what ties it to a repository or a store."""
    return {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


def overlay(params: Path, small: Path) -> None:
    """Lay the values of one YAML file over another, whose comments and order stay.

    Raises QuickError if a value's key is not in ``params``.
    """
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 4096
    content = yaml.load(params.read_text(encoding="utf-8"))
    changes = YAML(typ="safe", pure=True).load(small.read_text(encoding="utf-8"))
    _replace(content, changes or {}, ())
    with params.open("w", encoding="utf-8") as file:
        yaml.dump(content, file)


def _replace(content: MutableMapping[str, Any], changes: Any, above: tuple[str, ...]) -> None:
    if not isinstance(changes, Mapping):
        raise QuickError(f"{SMALL}: {'.'.join(above) or 'the file'} must be a mapping of keys")
    for key, value in changes.items():
        names = (*above, str(key))
        if key not in content and presets.KEY not in content:  # else the preset may have it
            raise QuickError(f"{SMALL}: {'.'.join(names)} is not a key of {config.FILE}")
        if isinstance(content.get(key), MutableMapping):
            _replace(content[key], value, names)
        else:
            content[key] = value


def commit(copy: Path) -> None:
    """Make the copy a git repository with one commit, which DVC needs.

    Without the user's settings: a signature, a hook, a template or an ignored name is no matter of
    the copy.
    """
    alone = git.without_settings(copy / ".git")
    for command in (
        ("init", "--quiet", "--template="),
        # DVC, which reads the user's settings later, refuses a dvc.yaml that git would ignore.
        ("config", "core.excludesFile", os.devnull),
        ("add", "--all", "--force"),  # what the repository holds, whatever .gitignore says
        ("commit", "--quiet", "--message=small scale"),
    ):
        try:
            git.ask(copy, *command, settings=AUTHOR, variables=alone, seconds=SECONDS)
        except git.GitError as error:
            raise QuickError(f"git {command[0]} failed in {copy}: {error}") from error
