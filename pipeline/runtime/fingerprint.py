"""What a stage depends on beside its params and its data: its code, told in one small file.

The code of a stage is every file of this package that it imports, directly or not, the runner that
all stages pass through, the third-party packages that these files import, and Python. A file counts
by its syntax tree without docstrings, so comments and layout change nothing. Packages count by the
versions that requirements.lock pins; what is installed is held against them when a stage starts.

The closure follows import statements anywhere in a file, but for those under TYPE_CHECKING, which
never run. An import by a computed name cannot be followed, so it is refused but for the runner's
own, of the stage.
"""

import ast
import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from pipeline.runtime import dag

LOCK = "requirements.lock"
# The shell is in every stage's code, but not what it runs beside stages: tracking reads finished
# files, and commands run no stage. Nor what carries cells to a cluster, whose workers are held
# against this process's code.
SHELL = ("pipeline.__main__", "pipeline.runtime.runner")
OUTSIDE = ("pipeline.commands", "pipeline.tracking", "pipeline.runtime.compute.cluster")
# Imports the stage that it is told to run, which is the closure's root.
DYNAMIC = "pipeline/runtime/dag.py"
IMPORTERS = ("import_module", "__import__")
RUNNERS = ("run_module", "run_path", "spec_from_file_location", "exec", "eval")
TYPES = "TYPE_CHECKING"
# What the runtime imports inside a function serves the stages that have imported it themselves:
# torch is no code of a stage that only draws, Dask of none (it carries cells, no number changes).
RUNTIME = "pipeline/runtime/"
COMMON = ("exec", "eval")  # names of methods too: of a model, of a window
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


def of_stage(name: str, root: Path) -> Fingerprint:
    """Return the fingerprint of a stage's code as it stands in the checkout ``root``.

    Raises FingerprintError for an import that cannot be followed, or of a package without a pin.
    """
    return of_modules([dag.module(name), *SHELL], root)


def of_modules(modules: list[str], root: Path) -> Fingerprint:
    """Return the fingerprint of some modules' code, with all that they import; errors as above."""
    files, packages = closure(modules, root)
    pins = _pins(root)
    return Fingerprint(
        files={path: _source(path, root).digest for path in sorted(files)},
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
    waiting = [_file(name, root) for name in _with_packages(modules)]
    while waiting:
        path = waiting.pop()
        if path is None or path in files:
            continue
        files.add(path)
        for name in _source(path, root).imports:
            if name.split(".")[0] == dag.PACKAGE:
                if not _outside(name):
                    waiting.append(_file(name, root))
            elif (top := name.split(".")[0]) not in sys.stdlib_module_names and (
                name in _source(path, root).at_start or not path.startswith(RUNTIME)
            ):
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


@dataclass(frozen=True)
class _Source:
    """What a file says: the dotted names that it imports at any level, and a hash of its code.

    ``at_start`` are the names that it imports when it is imported itself.
    """

    imports: frozenset[str]
    at_start: frozenset[str]
    digest: str


def _source(path: str, root: Path) -> _Source:
    state = (root / path).stat()
    return _parsed(root / path, path, state.st_mtime_ns, state.st_size)


@cache
def _parsed(file: Path, path: str, changed: int, size: int) -> _Source:  # noqa: ARG001 - keys
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        raise FingerprintError(f"{path} is not valid Python: {error}") from error
    at_start = ast.Module([node for node in tree.body if not _is_definition(node)], [])
    return _Source(_imports(tree, path), _imports(at_start, path), _digest(tree))


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))


def _imports(tree: ast.Module, path: str) -> frozenset[str]:
    names: set[str] = set()
    seen: set[ast.AST] = set()  # what the node above has told of, or no run reaches
    for node in ast.walk(tree):  # what holds a node comes before it
        if node in seen and not isinstance(node, (ast.Name, ast.Attribute)):
            seen.update(ast.iter_child_nodes(node))
        elif isinstance(node, ast.If) and _name(node.test) == TYPES:
            seen.update(node.body)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(_imported(node, path))
        elif isinstance(node, ast.Call) and _name(node.func) in IMPORTERS:
            seen.add(node.func)
            names.add(_called(node, path))
        elif node not in seen and isinstance(node, (ast.Name, ast.Attribute)):
            _refuse_importer(node, path)
    return frozenset(_with_packages(names - {""}))


def _with_packages(names: Iterable[str]) -> set[str]:
    """Add the packages above: a package's own file is run when a module inside is imported."""
    return {".".join(name.split(".")[:k]) for name in names for k in range(1, name.count(".") + 2)}


def _imported(node: ast.Import | ast.ImportFrom, path: str) -> list[str]:
    """Return the names that a statement imports; FingerprintError if they cannot be told."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.level or not node.module:
        raise _refused(path, node, "is relative")
    if any(alias.asname and alias.name in (*IMPORTERS, *RUNNERS) for alias in node.names):
        raise _refused(path, node, "is under another name")
    inside = node.module.split(".")[0] == dag.PACKAGE  # else a name is no file of ours
    return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names if inside)]


def _called(node: ast.Call, path: str) -> str:
    """Return the name that import_module(...) imports; FingerprintError if it is computed."""
    first = node.args[0] if node.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    if path != DYNAMIC:
        raise _refused(path, node, "has a computed name")
    return ""


def _refuse_importer(node: ast.Name | ast.Attribute, path: str) -> None:
    name = _name(node)
    if name in IMPORTERS:
        raise _refused(path, node, "is passed on without a name")
    if name in RUNNERS:
        raise _refused(path, node, "is of code that no import names")


def _name(node: ast.expr) -> str:
    """Return the name that an expression is, or ends in; "" for a method that only sounds so."""
    if isinstance(node, ast.Attribute):
        built_in = isinstance(node.value, ast.Name) and node.value.id == "builtins"
        return node.attr if built_in or node.attr not in COMMON else ""
    return node.id if isinstance(node, ast.Name) else ""


def _refused(path: str, node: ast.stmt | ast.expr, why: str) -> FingerprintError:
    return FingerprintError(
        f"{path}:{node.lineno}: this import {why}, so the stages' fingerprints cannot follow it; "
        "import the module by its full name"
    )


def _digest(tree: ast.Module) -> str:
    """Return the hash of a syntax tree without docstrings."""
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
