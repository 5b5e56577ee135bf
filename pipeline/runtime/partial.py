"""Folders of stages that are being made: what is in them becomes data/STAGE, all of it or none.

A stage that is killed leaves its folder behind. Its own next run takes the place, but DVC may
restore the stage from its cache instead, so whatever looks after a checkout sweeps.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.runtime import locks
from pipeline.runtime.files import DATA

FOLDER = ".partial"


def lock(root: Path, name: str) -> Path:
    """Return the file that is locked by the process that makes a stage."""
    return root / DATA / ".locks" / name


@contextmanager
def making(root: Path, name: str) -> Iterator[Path]:
    """Yield an empty folder for a stage's files, which is gone afterwards."""
    folder = root / DATA / FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(root: Path) -> None:
    """Remove the folders of stages that no process makes."""
    folders = root / DATA / FOLDER
    for folder in folders.iterdir() if folders.is_dir() else ():
        # A lock that cannot be made is no reason to stop: what is left costs space alone.
        with (
            suppress(locks.BusyError, OSError),
            locks.exclusive_lock(lock(root, folder.name), folder.name, patience=0.0),
        ):
            shutil.rmtree(folder, ignore_errors=True)
