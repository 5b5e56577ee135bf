"""The contract: dvc.yaml, stage files, params.yaml and tests name the same things.

A new stage touches four places (stage file, dvc.yaml, params.yaml, test); these tests say which one
is missing.
"""

import ast
import subprocess
import sys
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

import pytest

from pipeline import config
from pipeline.__main__ import ROOT, stage_module
from pipeline.runtime import dag

STAGES: dict[str, dict[str, Any]] = dag.read(ROOT)
NAMES = list(STAGES)
FILES = dag.stage_names(ROOT)
EVERY = pytest.mark.parametrize("name", NAMES)
CHECKED = "data/check_params/ok.json"


def test_stages_in_dvc_yaml_and_stage_files_are_the_same() -> None:
    assert sorted(NAMES) == FILES


@EVERY
def test_a_stage_is_run_by_its_name(name: str) -> None:
    assert STAGES[name]["cmd"] == f"python -m pipeline {name}"


@EVERY
def test_a_stage_says_what_it_does(name: str) -> None:
    assert STAGES[name]["desc"]


@EVERY
def test_a_stage_has_params_and_run(name: str) -> None:
    module = stage_module(name)
    assert issubclass(module.Params, config.StageParams)
    assert callable(module.run)


@EVERY
def test_a_stage_writes_files_of_its_own_folder(name: str) -> None:
    for path in map(PurePosixPath, dag.outputs(STAGES[name])):
        assert path.parent.as_posix() == f"data/{name}"
        assert path.suffix, f"{path} is a folder: depend on files"


@EVERY
def test_metrics_are_one_json_file_that_git_keeps(name: str) -> None:
    metrics = STAGES[name].get("metrics", [])
    assert metrics in ([], [{f"data/{name}/metrics.json": {"cache": False}}])


def test_each_path_is_written_by_one_stage() -> None:
    written = Counter(path for stage in STAGES.values() for path in dag.outputs(stage))
    assert [path for path, times in written.items() if times > 1] == []


@EVERY
def test_a_stage_declares_the_sections_that_it_reads(name: str) -> None:
    sections = stage_module(name).Params.sections()
    assert sorted(STAGES[name].get("params", [])) == sorted(sections)


def test_every_section_of_params_yaml_is_read() -> None:
    read = {section for stage in STAGES.values() for section in stage.get("params", [])}
    assert set(config.read(ROOT / config.FILE)) == read


def test_stages_that_read_one_section_check_it_alike() -> None:
    classes: dict[str, set[type]] = {}
    for name in NAMES:
        for section, kind in stage_module(name).Params.sections().items():
            classes.setdefault(section, set()).add(kind)
    assert {section: kinds for section, kinds in classes.items() if len(kinds) > 1} == {}


@EVERY
def test_code_dependencies_are_the_real_imports(name: str) -> None:
    assert STAGES[name]["deps"] == dag.expected_deps(name, STAGES[name], ROOT), (
        "dvc.yaml's code dependencies are not the stages' imports: run `python -m pipeline deps`"
    )


@EVERY
def test_data_dependencies_are_made_by_stages(name: str) -> None:
    made = {path for stage in STAGES.values() for path in dag.outputs(stage)}
    data = {path for path in STAGES[name]["deps"] if not path.endswith(".py")}
    given = {path for path in data - made if not path.startswith("data/reference/")}
    assert given <= {config.FILE}


@EVERY
def test_published_numbers_are_files_of_the_repository(name: str) -> None:
    published = [path for path in STAGES[name]["deps"] if path.startswith("data/reference/")]
    assert all((ROOT / path).is_file() for path in published)


@EVERY
def test_params_are_checked_before_any_other_stage(name: str) -> None:
    deps = STAGES[name]["deps"]
    assert (CHECKED in deps, config.FILE in deps) == (
        name != "check_params",
        name == "check_params",
    )


@EVERY
def test_every_stage_has_a_test(name: str) -> None:
    assert (ROOT / "tests" / "stages" / f"test_{name}.py").is_file()


def test_packages_hold_no_code_that_dependencies_would_miss() -> None:
    # The closure of imports is of modules; a package's own file is not in it.
    for file in (ROOT / "pipeline").rglob("__init__.py"):
        body = ast.parse(file.read_text()).body
        assert all(isinstance(line, ast.Expr) for line in body), f"{file} holds code"


def test_imports_go_one_way_only() -> None:
    # In a process of its own, as the command that `make lint` runs.
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout
