"""fingerprint: a stage depends on the code and the packages that it can reach, and on no other."""

import ast
import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

import pytest

from pipeline.__main__ import ROOT
from pipeline.runtime import dag, fingerprint

STAGES = [name for name in dag.stage_names(ROOT) if name != dag.CHECK]
LOCK = "requirements.lock"
# Imports stages in a process that has imported nothing of this package before, and tells of every
# import that a module of this package made: who, and the file of what.
OBSERVE = """
import builtins, importlib, json, os, sys
real, edges, root = builtins.__import__, [], sys.argv[1]
def watched(name, globals=None, locals=None, fromlist=(), level=0):
    module = real(name, globals, locals, fromlist, level)
    if name.split(".")[0] == "pipeline":
        names = [name, *(f"{name}.{inside}" for inside in fromlist or ())]
        names += [".".join(name.split(".")[:k]) for k in range(1, name.count(".") + 1)]
        importer = (globals or {}).get("__name__", "")
        edges.extend((importer, n) for n in names if n in sys.modules)
    return module
builtins.__import__ = watched
for module in sys.argv[2:]:
    importlib.import_module(module)
ours = {n: m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "pipeline"}
print(json.dumps([edges, {n: os.path.relpath(f, root) for n, f in ours.items() if f}]))
"""
RUNNER = "pipeline.runtime.runner"


def observed(modules: list[str]) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """The imports that were made when modules were imported, and all modules' files."""
    found = subprocess.run(
        [sys.executable, "-c", OBSERVE, str(ROOT), RUNNER, *modules],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    edges, files = json.loads(found.stdout)
    return [(importer, imported) for importer, imported in edges], files


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """The files that each stage has loaded once it is imported beside the runner."""
    edges, files = observed([dag.module(name) for name in STAGES])
    return {name: reached(dag.module(name), edges, files) for name in STAGES}


def reached(module: str, edges: list[tuple[str, str]], files: dict[str, str]) -> set[str]:
    modules = {module, RUNNER}
    modules |= {above for name in modules for above in files if name.startswith(f"{above}.")}
    while more := {b for a, b in edges if a in modules} - modules:
        modules |= more
    return {files[name] for name in modules if name in files}


def importable(name: str) -> tuple[set[str], set[str]]:
    """The files that a stage's import statements, at any depth, can lead to, and other packages.

    By Python's own finder, which reads the bytecode; it follows what only type checkers see too.
    """
    finder = ModuleFinder([str(ROOT)], excludes=list(fingerprint.OUTSIDE))
    for module in (dag.module(name), *fingerprint.SHELL):
        finder.import_hook(module)
    files = [module.__file__ for module in finder.modules.values() if module.__file__]
    foreign = {missing.split(".")[0] for missing in finder.badmodules} - {"pipeline"}
    return {str(Path(file).relative_to(ROOT)) for file in files}, foreign


SAMPLE = STAGES[::7]


@pytest.fixture(scope="module")
def real() -> dict[str, fingerprint.Fingerprint]:
    return {name: fingerprint.of_stage(name, ROOT) for name in STAGES}


def test_the_imports_of_all_stages_at_once_tell_what_each_loads_alone(
    loaded: dict[str, set[str]],
) -> None:
    name = "oscillator_figures"  # which reaches far
    _, files = observed([dag.module(name)])
    assert loaded[name] == set(files.values())


def test_what_a_stage_has_loaded_when_it_starts_is_in_its_code(
    real: dict[str, fingerprint.Fingerprint], loaded: dict[str, set[str]]
) -> None:
    for name, files in loaded.items():
        assert f"pipeline/stages/{name.replace('_', '/', 1)}.py" in files
        assert files <= real[name].files.keys(), name


@pytest.mark.parametrize("name", SAMPLE)
def test_a_stage_s_code_holds_nothing_that_cannot_be_imported_from_it(
    real: dict[str, fingerprint.Fingerprint], name: str
) -> None:
    files, foreign = importable(name)
    assert real[name].files.keys() <= files
    named = {fingerprint.DISTRIBUTIONS.get(package, package) for package in foreign}
    assert real[name].packages.keys() <= named


Fingerprints = dict[str, fingerprint.Fingerprint]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, to be edited."""
    root = tmp_path_factory.mktemp("checkout")
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "pipeline", root / "pipeline", ignore=without)
    shutil.copy(ROOT / LOCK, root)
    return root


@pytest.fixture
def edit(checkout: Path) -> Iterator[Callable[[str, Callable[[str], str]], None]]:
    """Edit a file of the copy, which the end of the test undoes."""
    before: dict[Path, str] = {}

    def change(name: str, to: Callable[[str], str]) -> None:
        path = checkout / name
        text = before.setdefault(path, path.read_text(encoding="utf-8"))
        changed = to(text)
        assert changed != text, name
        path.write_text(changed, encoding="utf-8")

    yield change
    for path, text in before.items():
        path.write_text(text, encoding="utf-8")


Edit = Callable[[str, Callable[[str], str]], None]


def changed(checkout: Path, real: Fingerprints) -> set[str]:
    """The stages whose fingerprints are others now."""
    return {name for name in STAGES if fingerprint.of_stage(name, checkout).code != real[name].code}


def test_a_copy_has_the_same_fingerprints(checkout: Path, real: Fingerprints) -> None:
    assert changed(checkout, real) == set()


def other_layout(text: str) -> str:
    """Blank lines, a comment, trailing blanks, and other words in every docstring."""
    tree, lines = ast.parse(text), text.splitlines()
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    for node in sorted(
        (n for n in ast.walk(tree) if isinstance(n, documented) and ast.get_docstring(n)),
        key=lambda n: -n.body[0].lineno,
    ):
        words = node.body[0]
        assert words.end_lineno is not None
        blanks = " " * words.col_offset
        lines[words.lineno - 1 : words.end_lineno] = [f'{blanks}"""Says something else."""']
    return "\n\n# a comment\n" + "\n\n".join(lines[:1]) + "\n" + "\n".join(lines[1:]) + "\n\n"


def test_comments_docstrings_and_layout_change_no_fingerprint(
    checkout: Path, real: Fingerprints, edit: Edit
) -> None:
    files = sorted(
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "pipeline").rglob("*.py")
        if file.read_text(encoding="utf-8").strip()
    )
    rooms = {file.rsplit("/", 1)[0] for file in files}
    sample = [random.Random(0).choice([f for f in files if f.rpartition("/")[0] == room])
              for room in sorted(rooms)]  # fmt: skip
    sample += random.Random(1).sample(files, 20)
    for name in set(sample):
        edit(name, other_layout)
    assert changed(checkout, real) == set()


def constants(text: str) -> list[ast.Constant]:
    """The numbers inside a file's functions."""
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]
    inside = [node for f in functions for part in f.body for node in ast.walk(part)]
    return [n for n in inside if isinstance(n, ast.Constant) and type(n.value) in (int, float)]


def other_constant(text: str) -> str:
    """A file with another number in one of its functions."""
    node = constants(text)[0]
    lines = text.splitlines(keepends=True)
    line = lines[node.lineno - 1]
    assert node.end_col_offset is not None
    lines[node.lineno - 1] = f"{line[: node.col_offset]}77{line[node.end_col_offset :]}"
    return "".join(lines)


def files_with_constants(folder: str, n: int) -> list[str]:
    files = sorted((ROOT / "pipeline" / folder).rglob("*.py"))
    having = [file for file in files if constants(file.read_text(encoding="utf-8"))]
    return [file.relative_to(ROOT).as_posix() for file in random.Random(2).sample(having, n)]


EDITED = [
    *files_with_constants("core", 4),
    *[file for lab in ("oscillator", "memory", "conjunction", "energy")
      for file in files_with_constants(f"labs/{lab}", 1)],
    *files_with_constants("figures", 2),
    "pipeline/runtime/formats/artifacts.py",
]  # fmt: skip


@pytest.mark.parametrize("file", dict.fromkeys(EDITED))
def test_a_changed_constant_changes_exactly_the_stages_that_load_the_file(
    checkout: Path, real: Fingerprints, loaded: dict[str, set[str]], edit: Edit, file: str
) -> None:
    edit(file, other_constant)
    assert changed(checkout, real) == {name for name, files in loaded.items() if file in files}
    name = next(name for name, files in loaded.items() if file in files)
    assert fingerprint.of_stage(name, checkout).difference(real[name]) == file


def pinned(package: str, version: str) -> Callable[[str], str]:
    return lambda text: re.sub(rf"(?m)^{package}==\S+$", f"{package}=={version}", text)


UNSEEN = re.compile(r"(?m)^if TYPE_CHECKING:\n(?:[ \t]+\S.*\n)+")


def importing(package: str, loaded: dict[str, set[str]]) -> set[str]:
    """The stages of whose files one has an import statement of the package.

    What the runtime imports inside a function serves stages that have imported it themselves.
    """
    having = set()
    for file in (ROOT / "pipeline").rglob("*.py"):
        name = file.relative_to(ROOT).as_posix()
        margin = "" if name.startswith("pipeline/runtime/") else r"\s*"
        text = UNSEEN.sub("", file.read_text(encoding="utf-8"))
        if re.search(rf"(?m)^{margin}(import|from) {package}\b", text):
            having.add(name)
    return {name for name, files in loaded.items() if files & having}


@pytest.mark.parametrize("package", ["torch", "matplotlib", "scipy", "numpy"])
def test_a_changed_pin_changes_exactly_the_stages_whose_code_imports_the_package(
    checkout: Path, real: Fingerprints, loaded: dict[str, set[str]], edit: Edit, package: str
) -> None:
    edit(LOCK, pinned(package, "0.0.1"))
    stages = changed(checkout, real)
    assert stages == importing(package, loaded)
    if package == "matplotlib":  # drawn and measured are stages of their own
        draws = {
            name for name, stage in dag.read(ROOT).items()
            if any(path.endswith(".png") for path in dag.outputs(stage))
        }  # fmt: skip
        assert stages == draws


def test_a_pin_of_what_no_stage_imports_changes_nothing(
    checkout: Path, real: Fingerprints, edit: Edit
) -> None:
    for package in ("mlflow", "dvc", "pytest"):
        edit(LOCK, pinned(package, "0.0.1"))
    assert changed(checkout, real) == set()


def test_another_python_is_named(real: Fingerprints) -> None:
    one: dict[str, Any] = real[STAGES[0]].to_json()
    one.pop("code")
    other = fingerprint.Fingerprint(**{**one, "python": "3.0"})
    assert other.difference(real[STAGES[0]]) == "Python 3.0"
    assert other.code != real[STAGES[0]].code
