"""The circumstances of an execution: its time, processor, versions of packages, and commit.

What is measured while a stage runs is known of that execution alone. A run that is filled in later
says what its files say: the versions that its code's fingerprint names, and no processor.
"""

import json
import os
import platform
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import machinery, metadata
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.runtime import dag
from pipeline.runtime.checkout import git
from pipeline.runtime.compute import device, processor
from pipeline.runtime.files import CACHE, md5
from pipeline.runtime.provenance import Execution

# What can change a result, as git's patterns; of files that git does not track, what Python could
# import. Not dvc.lock, metrics and results: they are the result. Not tests, documents, notes.
SOURCES = (
    f":(glob){dag.PACKAGE}/**",
    ":(glob)params.yaml",
    f":(glob){dag.FILE}",
    ":(glob)requirements*.lock",
    ":(glob)data/reference/**",
)
SUFFIXES = machinery.all_suffixes()
ADVICE = {  # for a part of git's message
    "dubious ownership": "; for this version of git: git config --global --add safe.directory {}",
    "unsafe repository": "; for this version of git: git config --global --add safe.directory {}",
    "Needed a single revision": " (this repository has no commit yet)",
}
PACKAGES = ("matplotlib", "numpy", "pandas", "scipy", "torch")  # of a stage without a fingerprint


@dataclass(frozen=True)
class Timing:
    """When a stage started and ended, in milliseconds since 1970, and what its workers did."""

    started_ms: int
    ended_ms: int
    workers: Mapping[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Return how long the stage took."""
        return (self.ended_ms - self.started_ms) / 1000

    @property
    def metrics(self) -> dict[str, float]:
        """Return what is logged of it."""
        return {"stage_seconds": self.seconds, **self.workers}


def time_of_files(root: Path, execution: Execution) -> int:
    """Return when the newest output was written to this disk, in milliseconds since 1970."""
    paths = [root / path for path in execution.outs]
    paths += [file for path in paths if path.is_dir() for file in path.iterdir()]
    return max((path.stat().st_mtime_ns // 10**6 for path in paths), default=0)


def machine_tags() -> dict[str, str]:
    """Return what this machine is: its processor's model, its Python, and what cells train on."""
    known = {"processor": processor.model(), "python": platform.python_version()}
    return known | {"device": device.described()}


def version_tags(root: Path, execution: Execution, *, just_ran: bool) -> dict[str, str]:
    """Return the versions that the stage ran with: Python's, torch's, all packages' as JSON.

    The fingerprint of the stage's code names them, if it is the one that the execution had. Else a
    stage that just ran has this environment's, and an older one nothing.
    """
    fingerprint = _fingerprint(root, execution)
    packages = fingerprint.get("packages", _installed() if just_ran else {})
    tags = {"python": str(fingerprint["python"])} if "python" in fingerprint else {}
    if "torch" in packages:
        tags["torch"] = packages["torch"]
    if packages:
        tags["packages"] = json.dumps(packages, separators=(",", ":"), sort_keys=True)
    return tags


def _fingerprint(root: Path, execution: Execution) -> Mapping[str, Any]:
    path = dag.code_file(execution.stage)
    file = root / path
    if not file.is_file() or md5(file) != execution.deps.get(path):
        return {}
    content: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def _installed() -> dict[str, str]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def commit_tags(root: Path) -> dict[str, str]:
    """Return the commit, whether it is dirty, and the DVC experiment, as far as there are any.

    ``dirty`` is "true" if a result may differ from the commit's, "unknown" if git does not say;
    what git does not say is told in a warning.
    """
    name = os.environ.get("DVC_EXP_NAME")
    experiment = {"dvc.exp": name} if name else {}
    if not git.of_checkout(root):
        return experiment
    return experiment | (_unanswered[root] if root in _unanswered else _commit(root))


# What is known where git failed: ``track``, which logs many runs, waits once and warns once.
_unanswered: dict[Path, dict[str, str]] = {}


def _commit(root: Path) -> dict[str, str]:
    known: dict[str, str] = {}
    try:
        commit = git.ask(root, "rev-parse", "--verify", "HEAD").decode().strip()
        known = {"mlflow.source.git.commit": commit, "commit": commit, "dirty": "unknown"}
        known["dirty"] = "true" if _differs(root) else "false"
    except git.GitError as error:
        gap = "may not be of its commit" if known else "names no commit"
        advice = [text for part, text in ADVICE.items() if part in str(error)]
        told = f"warning: the run {gap}: {error}{''.join(advice).format(root.resolve())}"
        sys.stderr.write(f"{told}\n")
        _unanswered[root] = known
    return known


def _differs(root: Path) -> bool:
    """Tell whether a file that can change a result is not the commit's.

    The files are compared with HEAD by their content, through an index of this call's own: what is
    staged, touched or marked in the user's does not count, and a merge may be under way.
    """
    with tempfile.TemporaryDirectory() as scratch:
        ask = partial(
            git.ask,
            root,
            settings=["core.fileMode=false"],  # Python runs a module whatever its executable bits
            variables={"GIT_INDEX_FILE": str(Path(scratch) / "index")},
        )
        ask("read-tree", "HEAD")
        if ask("diff", "--name-only", "--no-ext-diff", "--no-renames", "--", *SOURCES):
            return True
        others = ask("ls-files", "--others", "-z", "--", dag.PACKAGE)
    return any(_importable(os.fsdecode(name)) for name in others.split(b"\0"))


def _importable(name: str) -> bool:
    """Tell whether Python could import a file, also one that git ignores; not a cached one."""
    path = PurePosixPath(name)
    module, _, suffix = path.name.partition(".")
    return f".{suffix}" in SUFFIXES and all(
        part.isidentifier() and part != CACHE for part in (*path.parts[:-1], module)
    )
