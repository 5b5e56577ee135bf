"""What a stage depends on beside its params and its data: its code, told in one small file.

The code of a stage is every file of this package that it imports, directly or not, the runner that
all stages pass through, the third-party packages that these files import, and Python. A file counts
by its syntax tree without docstrings, so comments and layout change nothing. Packages count by the
versions that requirements.lock pins; what is installed is held against them when a stage starts.

The closure follows import statements anywhere in a file. An import by a computed name cannot be
followed, so it is refused but for the runner's own, of the stage.
"""

import ast
import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from pipeline.runtime import dag

LOCK = "requirements.lock"
# The shell is in every stage's code, but not what it runs beside stages: tracking reads finished
# files, and commands run no stage.
SHELL = ("pipeline.__main__", "pipeline.runtime.runner")
OUTSIDE = ("pipeline.commands", "pipeline.tracking")
# Imports the stage that it is told to run, which is the closure's root.
DYNAMIC = "pipeline/runtime/dag.py"
IMPORTERS = ("import_module", "__import__")
RUNNERS = ("run_module", "run_path", "spec_from_file_location", "exec", "eval")
# Packages whose import has another name than their distribution.
DISTRIBUTIONS = {"ruamel": "ruamel.yaml", "sklearn": "scikit-learn", "yaml": "PyYAML"}


class FingerprintError(RuntimeError):
    """A stage's code is not what its fingerprint says, or cannot be told; one line for the user."""


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """A stage's code: ``files`` maps paths to hashes, ``packages`` distributions to versions."""

    files: Mapping[str, str]
    packages: Mapping[str, str]
    python: str

    @property
    def code(self) -> str:
        """One hash of it all."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, object]:
        """Return the content of the file that the stage depends on."""
        return {"code": self.code, **asdict(self)}

    def difference(self, written: "Fingerprint") -> str:
        """Say in words what differs from the one that was written, or nothing."""
        for kind, now, then in (
            ("", self.files, written.files),
            ("package ", self.packages, written.packages),
        ):
            for name in sorted(now.keys() | then.keys()):
                if now.get(name) != then.get(name):
                    return f"{kind}{name}"
        return f"Python {self.python}" if self.python != written.python else ""


def from_json(content: Mapping[str, object]) -> Fingerprint:
    """Rebuild a fingerprint from its file's content."""
    return Fingerprint(**{key: value for key, value in content.items() if key != "code"})  # type: ignore[arg-type]


def of_stage(name: str, root: Path) -> Fingerprint:
    """Return the fingerprint of a stage's code as it stands in the checkout ``root``.

    Raises FingerprintError for an import that cannot be followed, or of a package without a pin.
    """
    files, packages = closure([dag.module(name), *SHELL], root)
    pins = _pins(root)
    return Fingerprint(
        files={path: _digest(root / path) for path in sorted(files)},
        packages={name: _version(name, pins) for name in sorted(packages)},
        python=".".join(platform.python_version_tuple()[:2]),
    )


def refuse_other_packages(fingerprint: Fingerprint) -> None:
    """Raise FingerprintError if a package is not installed in the version that is pinned."""
    for name, pinned in fingerprint.packages.items():
        try:
            installed = metadata.version(name).partition("+")[0]  # 2.13.0+cpu is 2.13.0
        except metadata.PackageNotFoundError:
            installed = "none"
        if installed != pinned:
            raise FingerprintError(
                f"{LOCK} pins {name} {pinned}, and {installed} is installed: install what it pins "
                "(make repro does), or pin what is installed"
            )


def closure(modules: list[str], root: Path) -> tuple[set[str], set[str]]:
    """Return the files that modules import, directly or not, and the distributions beside them."""
    files: set[str] = set()
    packages: set[str] = set()
    waiting = [_file(module, root) for module in modules]
    while waiting:
        path = waiting.pop()
        if path is None or path in files:
            continue
        files.add(path)
        for name in _imports(root / path, path, (root / path).stat().st_mtime_ns):
            if name.split(".")[0] == dag.PACKAGE:
                if not _outside(name):
                    waiting.append(_file(name, root))
            elif (top := name.split(".")[0]) not in sys.stdlib_module_names:
                packages.add(DISTRIBUTIONS.get(top, top))
    return files, packages


def _outside(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in OUTSIDE)


def _file(module: str, root: Path) -> str | None:
    path = Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if (root / candidate).is_file():
            return candidate.as_posix()
    return None  # a name inside a module


@cache
def _imports(file: Path, path: str, changed: int) -> frozenset[str]:  # noqa: ARG001 - a key
    """Return the dotted names that a file imports, at any level of its code."""
    names: set[str] = set()
    for node in ast.walk(_tree(file)):
        names.update(_names(node, path))
    # A package's own file is run when a module inside is imported.
    names.update(".".join(name.split(".")[:k]) for name in list(names) for k in range(1, 9))
    return frozenset(names - {""})


def _names(node: ast.AST, path: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        if node.level or not node.module:
            raise _refused(path, node, "is relative")
        yield node.module
        if node.module.split(".")[0] == dag.PACKAGE:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        if node.module.split(".")[0] in ("importlib", "runpy") and any(
            alias.asname for alias in node.names
        ):
            raise _refused(path, node, "is under another name")
    elif isinstance(node, ast.Call) and _name(node.func) in IMPORTERS:
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value
        elif path != DYNAMIC:
            raise _refused(path, node, "has a computed name")
    elif isinstance(node, ast.Call) and _name(node.func) in RUNNERS:
        raise _refused(path, node, "is of code that no import names")


def _name(function: ast.expr) -> str:
    """Return the name that a call calls; a method counts only by a name that nothing else has."""
    if isinstance(function, ast.Attribute):
        return function.attr if function.attr not in ("exec", "eval", "compile") else ""
    return getattr(function, "id", "")


def _refused(path: str, node: ast.stmt | ast.expr, why: str) -> FingerprintError:
    return FingerprintError(
        f"{path}:{node.lineno}: this import {why}, so the stages' fingerprints cannot follow it; "
        "import the module by its full name"
    )


def _tree(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise FingerprintError(f"{file.name} is not valid Python: {error}") from error


def _digest(file: Path) -> str:
    """Return the hash of a file's syntax tree without docstrings."""
    tree = _tree(file)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


def _pins(root: Path) -> dict[str, str]:
    """Return the versions that requirements.lock pins, by normalised name."""
    try:
        text = (root / LOCK).read_text(encoding="utf-8")
    except OSError as error:
        raise FingerprintError(f"{LOCK}: cannot be read: {error}") from error
    return {_normal(name): version for name, version in re.findall(r"(?m)^([\w.-]+)==(\S+)", text)}


def _version(name: str, pins: Mapping[str, str]) -> str:
    if _normal(name) not in pins:
        raise FingerprintError(f"{LOCK} pins no {name}, which the code of a stage imports")
    return pins[_normal(name)]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
