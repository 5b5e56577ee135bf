"""Whether the installed MLflow can use a store's schema, told from its files and in no time."""

import re
import shlex
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from pipeline.tracking.database import ADVICE, FILE, read
from pipeline.tracking.server.secrets import StoreError

VERSIONS = Path("store", "db_migrations", "versions")
REVISION = re.compile(r"^(down_)?revision = \"?(\w+)\"?", re.MULTILINE)


def check(store: Path) -> None:
    """Raise StoreError, which says what to do, if a store is of an older or a newer MLflow.

    MLflow itself would change the tables of some older stores without a word.
    """
    known, newest = _revisions()
    held = {str(version) for (version,) in read(store, "SELECT version_num FROM alembic_version")}
    if held == {newest} or not known:
        return
    installed = f"MLflow {metadata.version('mlflow')}"
    if held and held <= known:
        command = shlex.join(
            [sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{store}"]
        )
        raise StoreError(
            f"{FILE} is of an MLflow older than the installed {installed}: copy it (the upgrade "
            f"cannot be undone), then upgrade it: {command}"
        )
    raise StoreError(
        f"{FILE} is of an MLflow newer than the installed {installed}, to which its schema "
        f"{', '.join(sorted(held)) or 'without a version'} is unknown: install the MLflow that "
        f"wrote it; or {ADVICE}"
    )


def _revisions() -> tuple[set[str], str]:
    """Return all revisions of the schema that the installed MLflow knows, and the newest."""
    spec = find_spec("mlflow")
    folder = Path(spec.origin or "").parent / VERSIONS if spec else Path("none")
    revisions: set[str] = set()
    before: set[str] = set()
    for path in folder.glob("*.py"):
        for down, revision in REVISION.findall(path.read_text(encoding="utf-8")):
            (before if down else revisions).add(revision)
    newest = revisions - before
    return (revisions, newest.pop()) if len(newest) == 1 else (set(), "")
