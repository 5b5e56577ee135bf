"""What the checkout must be for DVC to work in it: refused at once, in one line."""

import configparser
import os
import shutil
import unicodedata
from pathlib import Path

from failure import SetupError

# What a tool cannot have in a path; each was tried, and so was the rest of ASCII.
REFUSED = {
    ":": "PATH cannot hold a colon",
    "%": "MLflow reads a percent sign as the start of a code",
    "?": "MLflow reads a question mark as the end of its store's address",
    "{": "DVC reads a brace as the start of a name",
    "}": "DVC reads a brace as the end of a name",
}
LOCAL = Path(".dvc") / "config.local"


def check(root: Path) -> None:
    """Raise SetupError if the folder's path, its git or its data folder would fail later."""
    _check_path(os.fspath(root))
    _check_git(root)
    _check_links(root)


def _check_path(path: str) -> None:
    shown = path if path.isprintable() else ascii(path)[1:-1]
    for character, reason in REFUSED.items():
        if character in path:
            raise SetupError(f"{reason}, and the checkout is at {shown}: rename or move it")
    if any(unicodedata.category(character) == "Cc" for character in path):
        raise SetupError(f"the path of the checkout holds a control character: rename {shown}")
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise SetupError(f"the path of the checkout is not UTF-8: rename {shown}") from None


def _check_git(root: Path) -> None:
    if not shutil.which("git"):
        raise SetupError("git is not installed, and DVC needs it")
    # A link file too, of a worktree or a submodule; DVC also takes the repository around.
    if any((folder / ".git").exists() for folder in (root, *root.parents)) or _without_git(root):
        return
    raise SetupError(
        "this folder is no git repository (a downloaded archive?), which DVC needs; make it one: "
        'git init && git add -A && git commit -m "Attention Lab"'
    )


def _without_git(root: Path) -> bool:
    """Say whether the user told DVC to do without git."""
    settings = configparser.ConfigParser(interpolation=None)
    try:
        settings.read(root / LOCAL, encoding="utf-8")
        return settings.getboolean("core", "no_scm", fallback=False)
    except (configparser.Error, ValueError):
        return False


def _check_links(root: Path) -> None:
    data = root / "data"
    for folder in (root / ".dvc", data, *(data.iterdir() if data.is_dir() else ())):
        if folder.is_symlink():
            raise SetupError(
                f"{folder.relative_to(root)} is a link to {folder.readlink()}, with which stages "
                'fail: make it a folder, and put DVC\'s cache elsewhere (README, "Another disk")'
            )
