"""Files that appear whole or not at all, and one error for what they should not be."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ArtifactError(ValueError):
    """A file that a stage needs is missing or not what it should be; one line for the user."""

    def __init__(self, path: Path, problem: str):
        super().__init__(path, problem)  # both, so that it can come home from a worker process

    def __str__(self) -> str:
        path, problem = self.args
        stage = path.parent.name
        if "reference" in path.parts:  # published numbers: under git, made by no stage
            place = path.as_posix()[path.as_posix().index("reference/") :]
            return f"{place}: {problem}; restore it: git checkout -- data/{place}"
        return f"{stage}/{path.name}: {problem}; remake it: dvc repro -f -s {stage}"


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes ``path`` if the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong in the block into an ArtifactError about ``path``."""
    if not path.is_file():
        raise ArtifactError(path, "is missing")
    try:
        yield
    except ArtifactError:
        raise
    except Exception as error:  # the readers of zip, npy, csv, ... raise many kinds on odd bytes
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ArtifactError(
            path, f"is truncated or not a {path.suffix[1:]} file ({reason})"
        ) from error
