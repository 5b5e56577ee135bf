"""The DAG at small scale, twice, under circumstances that must not matter; every byte compared.

The two runs differ in all that a result must not depend on: the number of worker processes, the
checkout's path, Python's hashes, the time zone, the locale, the umask, and the number of threads
that the environment asks numeric libraries for.
"""

import locale
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.runtime import dag, provenance, smoke
from pipeline.runtime.compute import job
from pipeline.runtime.kept import store

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOCALES = ("tr_TR.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8")  # the first that is installed
BLOCK = 2**20


@dataclass(frozen=True)
class Circumstances:
    """One of the two runs: the name of its checkout's folder, and what surrounds its processes."""

    folder: str
    umask: int
    variables: Mapping[str, str] = field(default_factory=dict)


class VerifyError(smoke.QuickError):
    """The two runs cannot be made or their outputs differ; the message is for the user."""


def both() -> tuple[Circumstances, Circumstances]:
    """Return the circumstances of the two runs."""
    first = {
        store.FOLDER: store.OFF,  # the second run would take what the first one made
        job.WORKERS: "1",
        "PYTHONHASHSEED": "0",
        "TZ": "UTC",
        "LANG": "C",
        "LC_ALL": "C",
        **dict.fromkeys(THREADS, "1"),
    }
    language = _installed_locale()
    second = {
        store.FOLDER: store.OFF,
        job.WORKERS: "2",
        "PYTHONHASHSEED": "1",
        "TZ": "Asia/Kathmandu",  # 5 h 45 min
        "LANG": language,
        "LC_ALL": language,
        **dict.fromkeys(THREADS, "4"),
    }
    return (
        Circumstances("first", 0o022, first),
        Circumstances("another place/second", 0o077, second),
    )


def run(
    root: Path,
    folder: Path | None,
    targets: Sequence[str] = (),
    say: Callable[[str], object] = print,
) -> None:
    """Make ``targets`` (default: all stages) twice and compare every byte of what they made.

    Raises QuickError if a copy cannot be made or a stage fails, and VerifyError if a target is no
    stage, or a file differs or stands on one side only; the message names every such file.
    """
    unknown = sorted(set(targets) - set(dag.read(root)))
    if unknown:
        raise VerifyError(f"{unknown[0]} is no stage of {dag.FILE}")
    listed = smoke.repository_files(root)
    place = Path(tempfile.mkdtemp(prefix="attention-lab-")) if folder is None else folder.resolve()
    copies = []
    for number, circumstances in enumerate(both(), start=1):
        copy = place / circumstances.folder
        say(f"run {number} of 2, in {copy}: {_described(circumstances)}")
        smoke.make_copy(root, listed, copy)
        _repro(copy, circumstances, targets)
        copies.append(copy)
    found = [made(copy) for copy in copies]
    if not all(found):
        raise VerifyError(f"a run left no outputs in {place}")
    if differing := differences(*found):
        told = "".join(f"\n  {line}" for line in differing)
        data = " ".join(f"'{copy / 'data'}'" for copy in copies)
        raise VerifyError(
            f"{len(differing)} of {len(found[0].keys() | found[1].keys())} files differ:{told}\n"
            f"what in them differs: python -m bench.compare_outputs {data}"
        )
    say(f"ok: {len(found[0])} files, with {provenance.LOCK}, are the same byte by byte, in {place}")


def _described(circumstances: Circumstances) -> str:
    variables = [f"{name}={value}" for name, value in circumstances.variables.items()]
    return " ".join([*variables, f"umask={circumstances.umask:03o}"])


def _installed_locale() -> str:
    before = locale.setlocale(locale.LC_ALL)
    for name in LOCALES:
        with suppress(locale.Error):
            locale.setlocale(locale.LC_ALL, name)
            locale.setlocale(locale.LC_ALL, before)
            return name
    return "C"


def _repro(copy: Path, circumstances: Circumstances, targets: Sequence[str]) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    finished = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", *targets],
        cwd=copy,
        env={**smoke.environment(), **circumstances.variables, "PATH": path},
        umask=circumstances.umask,
        check=False,
    )
    if finished.returncode:
        raise VerifyError(f"dvc repro failed in {copy} (exit code {finished.returncode})")


def made(copy: Path) -> dict[str, Path]:
    """Return what a run made, by its path in the copy: the stages' files, and dvc.lock.

    The copy also holds the results that git has of stages that did not run: those say nothing.
    """
    ran = provenance.from_lock(copy)
    paths = [path for name in ran for path in (copy / "data" / name).rglob("*") if path.is_file()]
    paths += [copy / provenance.LOCK] if ran else []
    names = {path.relative_to(copy): path for path in paths}
    visible = {name: path for name, path in names.items() if not _hidden(name)}
    return {name.as_posix(): visible[name] for name in sorted(visible)}


def _hidden(name: Path) -> bool:
    return any(part.startswith(".") for part in name.parts)


def differences(first: Mapping[str, Path], second: Mapping[str, Path]) -> list[str]:
    """Return a line for each file that is not the same in both, with the first byte's place."""
    lines = []
    for name in sorted(first.keys() | second.keys()):
        if name not in first or name not in second:
            lines.append(f"{name}: only in the {'first' if name in first else 'second'} run")
        elif (place := _first_difference(first[name], second[name])) is not None:
            sizes = [path.stat().st_size for path in (first[name], second[name])]
            lines.append(f"{name}: from byte {place} on ({sizes[0]} and {sizes[1]} bytes)")
    return lines


def _first_difference(first: Path, second: Path) -> int | None:
    """Return the place of the first byte that differs, or None if there is none."""
    place = 0
    with first.open("rb") as one, second.open("rb") as other:
        while True:
            left, right = one.read(BLOCK), other.read(BLOCK)
            if left != right:
                pairs = zip(left, right, strict=False)
                inside = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
                return place + (min(len(left), len(right)) if inside is None else inside)
            if not left:
                return None
            place += len(left)
