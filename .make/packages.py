"""What is installed into .venv, and from where: the locked packages, torch first.

On Linux plain ``pip install torch`` brings 4 GB of CUDA libraries, which nothing uses unless it is
asked to (ATTENTION_LAB_DEVICE). So the CPU build is asked for by its exact name (pip's own
configured indexes may have it), then through uv, which knows the index of PyTorch.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from failure import SetupError

REQUIREMENTS = Path("requirements.lock")
CPU, CUDA = "cpu", "cuda"
UV = Path(".venv") / ".uv"
# What would lead pip out of .venv, or make it do something else than install. Indexes, proxies,
# certificates and constraints stay the user's.
ELSEWHERE = (
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN"),
    *("PIP_REQUIRE_VIRTUALENV", "PIP_REQUIREMENT", "PIP_EDITABLE", "PIP_NO_DEPS", "PIP_SRC"),
    *("PIP_IGNORE_INSTALLED", "PIP_REPORT", "PIP_LOG"),
    *(
        "PYTHONHOME",
        "PYTHONPATH",
        "PYTHONUSERBASE",
        "PYTHONSAFEPATH",
        "VIRTUAL_ENV",
        "CONDA_PREFIX",
    ),
    *("UV_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_SYSTEM_PYTHON", "UV_TORCH_BACKEND"),
)
QUIET = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-user")


def chosen(name: str) -> str:
    """Return the build of torch that the variable TORCH names, or nothing if it names none."""
    if name not in ("", CPU, CUDA):
        raise SetupError(f"TORCH={name}: must be cpu or cuda")
    if name == CUDA and sys.platform != "linux":
        raise SetupError(f"TORCH=cuda: torch has CUDA builds for Linux, not for {sys.platform}")
    return name


def pins() -> dict[str, str]:
    """Return the versions that the lock pins, by name; SetupError for a line that is no pin."""
    found: dict[str, str] = {}
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        requirement = line.partition("#")[0].strip()
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s;]+)(\s*;.*)?", requirement)
        if match:
            found[match[1]] = match[2]
        elif requirement:
            raise SetupError(f"{REQUIREMENTS}: {requirement!r} is not NAME==VERSION")
    if "torch" not in found:
        raise SetupError(f"{REQUIREMENTS}: pins no torch")
    return found


def installed_variant(python: Path) -> str:
    """Return the build of the torch that is installed; nothing if the pinned one is not there."""
    code = "from importlib import metadata; print(metadata.version('torch'))"
    release, _, build = run([python, "-I", "-c", code]).stdout.strip().partition("+")
    if release != pins()["torch"]:
        return ""
    return CPU if build == CPU or sys.platform != "linux" else CUDA


def install(python: Path, variant: str) -> None:
    """Install everything, then see that it is there."""
    if installed_variant(python) != variant:
        install_torch(python, pins()["torch"], variant)
    pip(python, "--requirement", os.fspath(REQUIREMENTS))
    # The stages' tools find the package by its metadata; without isolation, so without the net.
    editable = ("--no-deps", "--no-build-isolation", "--config-settings", "editable_mode=compat")
    pip(python, *editable, "--editable", ".")
    check(python)


def install_torch(python: Path, release: str, variant: str) -> None:
    """Install the asked build of torch; SetupError in one line if it cannot be had."""
    if variant == CUDA:  # the exclusion: a CPU build in the user's own index would go first
        pip(python, "--force-reinstall", "--no-deps", f"torch=={release},!={release}+cpu")
        return
    if sys.platform != "linux":  # elsewhere the default index's build is the CPU one
        pip(python, "--no-deps", f"torch=={release}")
        return
    wanted = ("--force-reinstall", "--no-deps", f"torch=={release}+cpu")
    by_pip = run([python, "-m", "pip", "install", *QUIET, *wanted])
    if by_pip.returncode == 0:
        return
    by_uv = _install_by_uv(python, release)
    if by_uv.returncode:
        raise SetupError(
            f"no CPU build of torch {release} can be fetched (pip: {last_line(by_pip)}; uv: "
            f"{last_line(by_uv)}); set PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS to where you have it, "
            "or take the 4 GB of the CUDA build: make TORCH=cuda"
        )


def _install_by_uv(python: Path, release: str) -> "subprocess.CompletedProcess[str]":
    """Fetch the CPU build with uv, which is there for this one command."""
    try:
        fetched = run([python, "-m", "pip", "install", *QUIET, "--target", UV, "uv"])
        if fetched.returncode:
            return fetched
        options = ("--python", str(python), "--no-deps", "--torch-backend", CPU, "--quiet")
        return run([UV / "bin" / "uv", "pip", "install", *options, f"torch=={release}"])
    finally:
        shutil.rmtree(UV, ignore_errors=True)


def pip(python: Path, *arguments: str) -> None:
    """Install with pip, which shows what it says; SetupError if it fails."""
    command: list[str | Path] = [python, "-m", "pip", "install", *QUIET, *arguments]
    if subprocess.run(command, env=environment(), check=False).returncode:
        raise SetupError(
            "pip could not install the locked packages, for the reason above; make starts again"
        )


def check(python: Path) -> None:
    """Raise SetupError unless every pinned package is in the environment."""
    code = (
        "import sys; from importlib import metadata\n"
        "for pin in sys.argv[1:]:\n"
        "    name, _, wanted = pin.partition('==')\n"
        "    try: found = metadata.version(name)\n"
        "    except metadata.PackageNotFoundError: found = 'none'\n"
        "    if found.partition('+')[0] != wanted.partition('+')[0]: print(pin, found)"
    )
    told = run([python, "-I", "-c", code, *(f"{name}=={pin}" for name, pin in pins().items())])
    if told.returncode or told.stdout:
        pin, found = (told.stdout.splitlines() or ["a package ?"])[0].split(" ", 1)
        raise SetupError(
            f"pip reported no error, but in .venv {pin} is not installed (found: {found}); see "
            "whether pip's configuration names another target: python -m pip config list"
        )


def environment() -> Mapping[str, str]:
    """Return the process's environment without what leads pip or Python elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in ELSEWHERE}


def run(command: Sequence[str | Path]) -> "subprocess.CompletedProcess[str]":
    """Run a command and keep what it says; one that cannot be run has failed."""
    try:
        return subprocess.run(
            command,
            env=environment(),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        return subprocess.CompletedProcess(list(command), 127, "", str(error))


def last_line(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the last line that a command said, which names the reason."""
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return said[-1].strip() if said else f"exit code {done.returncode}"
