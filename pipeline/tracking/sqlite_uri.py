"""A path of a SQLite file as the URI that SQLAlchemy and MLflow read, and back.

A folder's name may hold what has a meaning in a URI: ``?`` begins its query, ``%20`` is a space.
"""

from pathlib import Path
from urllib.parse import unquote

SCHEME = "sqlite:///"
ESCAPED = {"%": "%25", "?": "%3F", "#": "%23"}


def of_path(path: Path) -> str:
    """Return the URI of an absolute path; one without these three characters stands as it is."""
    return SCHEME + "".join(ESCAPED.get(letter, letter) for letter in str(path))


def to_path(uri: str) -> Path | None:
    """Return the path that a URI means; nothing for a URI that is not of SQLite."""
    if not uri.startswith(SCHEME):
        return None
    return Path(unquote(uri.removeprefix(SCHEME).partition("?")[0]))
