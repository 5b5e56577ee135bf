"""The circumstances of an execution: its time, processor, versions of packages, and commit.

What is measured while a stage runs is known of that execution alone. A run that is filled in later
says what its files say: the versions that its code's fingerprint names, and no processor.
"""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.runtime import dag
from pipeline.runtime.files import md5
from pipeline.runtime.provenance import Execution

PACKAGES = ("matplotlib", "numpy", "pandas", "scipy", "torch")  # of a stage without a fingerprint


@dataclass(frozen=True)
class Timing:
    """When a stage started and ended, in milliseconds since 1970."""

    started_ms: int
    ended_ms: int

    @property
    def seconds(self) -> float:
        """Return how long the stage took."""
        return (self.ended_ms - self.started_ms) / 1000


def time_of_files(root: Path, execution: Execution) -> int:
    """Return when the newest output was written to this disk, in milliseconds since 1970."""
    paths = [root / path for path in execution.outs]
    paths += [file for path in paths if path.is_dir() for file in path.iterdir()]
    return max((path.stat().st_mtime_ns // 10**6 for path in paths), default=0)


def machine_tags() -> dict[str, str]:
    """Return what this machine is: its processor's model and its Python."""
    return {"processor": processor(), "python": platform.python_version()}


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the model of this machine's processor, as the system names it."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


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
    """Return the commit, whether it is dirty, and the DVC experiment, as far as there are any."""
    tags = {}
    if name := os.environ.get("DVC_EXP_NAME"):
        tags["dvc.exp"] = name
    if commit := _git(root, "rev-parse", "HEAD"):
        # dvc.lock and metrics change while the DAG runs; they are the result, not the code.
        changes = _git(root, "status", "--porcelain", "--", ".", ":!dvc.lock", ":!data")
        tags["mlflow.source.git.commit"] = tags["commit"] = commit
        tags["dirty"] = "true" if changes else "false"
    return tags


def _git(root: Path, *arguments: str) -> str:
    if shutil.which("git") is None:
        return ""
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
