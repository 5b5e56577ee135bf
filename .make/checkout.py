"""What the checkout must be for DVC to work in it: refused at once, in one line."""

import configparser
import os
import shutil
from pathlib import Path

from failure import SetupError

# What no tool here can have in a path: PATH splits at a colon, and text files hold one path a line.
CONTROL = {chr(code): f"character {code}" for code in (*range(32), 127)}
REFUSED = {":": "a colon", **CONTROL, "\n": "a line break", "\t": "a tab"}
LOCAL = Path(".dvc") / "config.local"


def check(root: Path) -> None:
    """Raise SetupError if the folder's path, its git or its data folder would fail later."""
    _check_path(os.fspath(root))
    _check_git(root)
    _check_links(root)


def _check_path(path: str) -> None:
    shown = ascii(path)[1:-1] if not path.isprintable() else path
    for character, name in REFUSED.items():
        if character in path:
            raise SetupError(f"the checkout's path holds {name}: rename or move {shown}")
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise SetupError(f"the checkout's path is not UTF-8: rename or move {shown}") from None


def _check_git(root: Path) -> None:
    if not shutil.which("git"):
        raise SetupError("git is not installed, and DVC needs it")
    if (root / ".git").exists() or _without_git(root):
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
    for folder in (root / "data", root / ".dvc"):
        if folder.is_symlink():
            raise SetupError(
                f"{folder.name} is a link to {os.readlink(folder)}, which DVC refuses: make it a "
                'folder, and put DVC\'s cache elsewhere (see README, "Another disk")'
            )
