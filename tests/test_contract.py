"""The contract: dvc.yaml, stage files, params.yaml and tests name the same things.

A new stage touches four places (stage file, dvc.yaml, params.yaml, test); these tests say which one
is missing.
"""

import ast
import json
import subprocess
import sys
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline import config
from pipeline.__main__ import ROOT
from pipeline.runtime import dag, provenance, runner

STAGES: dict[str, dict[str, Any]] = dag.read(ROOT)
NAMES = list(STAGES)
FILES = dag.stage_names(ROOT)
EVERY = pytest.mark.parametrize("name", NAMES)
LABS = [name for name in NAMES if name != dag.CHECK]
EVERY_LAB_S = pytest.mark.parametrize("name", LABS)


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
    module = dag.stage_module(name)
    assert issubclass(module.Params, config.StageParams)
    assert callable(module.run)


@EVERY_LAB_S
def test_a_stage_writes_files_of_its_own_folder(name: str) -> None:
    for path in map(PurePosixPath, dag.outputs(STAGES[name])):
        assert path.parent.as_posix() == f"data/{name}"
        assert path.suffix, f"{path} is a folder: depend on files"


@EVERY_LAB_S
def test_a_stage_that_measures_leaves_results_and_metrics_that_git_keeps(name: str) -> None:
    results, metrics = f"data/{name}/results.json", f"data/{name}/metrics.json"
    measures = hasattr(dag.stage_module(name), "HEADLINE")
    outs = STAGES[name].get("outs", [])
    assert ({results: {"cache": False}} in outs) == measures
    assert STAGES[name].get("metrics", []) == ([{metrics: {"cache": False}}] if measures else [])
    assert all(isinstance(out, str) or results in out for out in outs), "others are DVC's to keep"


@EVERY_LAB_S
def test_a_headline_is_dotted_patterns(name: str) -> None:
    for pattern in getattr(dag.stage_module(name), "HEADLINE", ()):
        assert all(part for part in pattern.split(".")), pattern


def test_each_path_is_written_by_one_stage() -> None:
    written = Counter(path for stage in STAGES.values() for path in dag.outputs(stage))
    assert [path for path, times in written.items() if times > 1] == []


@EVERY_LAB_S
def test_a_stage_depends_on_its_code_and_its_resolved_params(name: str) -> None:
    stage = STAGES[name]
    assert stage["deps"][0] == dag.code_file(name)
    reads = bool(dag.stage_module(name).Params.sections())
    assert stage.get("params", []) == ([{dag.params_file(name): None}] if reads else [])


def test_check_params_depends_on_the_params_the_code_and_the_packages_as_a_whole() -> None:
    check = STAGES[dag.CHECK]
    assert tuple(sorted(check["deps"])) == tuple(sorted(runner.READ_BY_CHECK))
    assert check["outs"] == [f"data/{dag.CHECK}/code", f"data/{dag.CHECK}/params"]
    assert "params" not in check


def test_params_yaml_is_what_dvc_s_commands_speak_of() -> None:
    content = YAML(typ="safe", pure=True).load((ROOT / dag.FILE).read_text(encoding="utf-8"))
    assert content["params"] == [config.FILE]


def test_every_section_of_params_yaml_is_read() -> None:
    read = {s for name in NAMES for s in dag.stage_module(name).Params.sections()}
    assert set(config.read(ROOT / config.FILE)) == read


def test_stages_that_read_one_section_check_it_alike() -> None:
    classes: dict[str, set[type]] = {}
    for name in NAMES:
        for section, kind in dag.stage_module(name).Params.sections().items():
            classes.setdefault(section, set()).add(kind)
    assert {section: kinds for section, kinds in classes.items() if len(kinds) > 1} == {}


@EVERY_LAB_S
def test_dependencies_are_data_that_stages_make_or_that_were_published(name: str) -> None:
    made = {path for stage in STAGES.values() for path in dag.outputs(stage)}
    data = set(STAGES[name]["deps"]) - {dag.code_file(name)}
    assert {path for path in data - made if not path.startswith("data/reference/")} == set()
    assert not any(path.endswith(".py") for path in data), "code is one fingerprint"


@pytest.mark.parametrize(
    ("file", "lines"), [(dag.FILE, 1400), (config.FILE, 2200), (provenance.LOCK, 9000)]
)
def test_the_files_that_dvc_reads_again_and_again_stay_small(file: str, lines: int) -> None:
    # params.yaml stands in the form that DVC writes: a line for every item of a list.
    assert len((ROOT / file).read_text(encoding="utf-8").splitlines()) <= lines


def test_plots_are_the_figures_and_curves_that_stages_write() -> None:
    content = YAML(typ="safe", pure=True).load((ROOT / dag.FILE).read_text(encoding="utf-8"))
    made = {path for stage in STAGES.values() for path in dag.outputs(stage)}
    pictures = [plot for plot in content["plots"] if isinstance(plot, str)]
    assert sorted(pictures) == sorted(path for path in made if path.endswith(".png"))
    curves = [plot for plot in content["plots"] if not isinstance(plot, str)]
    files = [path for plot in curves for shown in plot.values() for path in shown["y"]]
    assert files, "learning curves as data"
    assert set(files) <= made


def test_the_metrics_that_dvc_shows_are_few() -> None:
    files = [path for stage in STAGES.values() for path in dag.outputs(stage)]
    metrics = [ROOT / path for path in files if path.endswith(f"/{runner.METRICS}")]
    numbers = [place for file in metrics for place in json.loads(file.read_text(encoding="utf-8"))]
    assert 0 < len(numbers) <= 80


def test_no_folder_has_more_code_files_than_one_can_survey() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    folders = Counter(PurePosixPath(path).parent for path in listed.stdout.split())
    assert [folder for folder, files in folders.items() if files > 20] == []


@EVERY
def test_published_numbers_are_files_of_the_repository(name: str) -> None:
    published = [path for path in STAGES[name]["deps"] if path.startswith("data/reference/")]
    assert all((ROOT / path).is_file() for path in published)


@EVERY
def test_every_stage_has_a_test(name: str) -> None:
    lab, _, stage = name.partition("_")
    file = f"test_{name}.py" if name == dag.CHECK else f"{lab}/test_{stage}.py"
    assert (ROOT / "tests" / "stages" / file).is_file()


def test_every_folder_of_code_is_a_package() -> None:
    folders = {file.parent for file in (ROOT / "pipeline").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_packages_hold_no_code() -> None:
    # What stands in a package's own file runs with every module inside: tracking's is its door.
    for file in (ROOT / "pipeline").rglob("__init__.py"):
        if file.parent.name != "tracking":
            body = ast.parse(file.read_text()).body
            assert all(isinstance(line, ast.Expr) for line in body), f"{file} holds code"


def test_imports_go_one_way_only() -> None:
    # In a process of its own, as the command that `make lint` runs.
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout
