"""dag: what dvc.yaml says of the stages, and where each one's code stands."""

from pathlib import Path

import pytest

from pipeline.__main__ import ROOT
from pipeline.runtime import dag

DVC = """
params: [params.yaml]
stages:
  lab_make:
    cmd: python -m pipeline lab_make
    outs:
      - data/lab_make/x.npz
      - data/lab_make/results.json: {cache: false}
    metrics: [{data/lab_make/metrics.json: {cache: false}}]
  lab_look:
    cmd: python -m pipeline lab_look
"""
FILES = ("check_params", "_shared", "__init__", "lab/__init__", "lab/make", "lab/_own", "lab/a_b_c")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        file = tmp_path / "pipeline" / "stages" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / "dvc.yaml").write_text(DVC)
    return tmp_path


def test_stages_are_the_files_without_an_underscore(root: Path) -> None:
    assert dag.stage_names(root) == ["check_params", "lab_a_b_c", "lab_make"]


def test_outputs_are_outs_and_metrics_by_path(root: Path) -> None:
    stages = dag.read(root)
    files = ("x.npz", "results.json", "metrics.json")
    assert dag.outputs(stages["lab_make"]) == [f"data/lab_make/{file}" for file in files]
    assert dag.outputs(stages["lab_look"]) == []


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("check_params", "pipeline.stages.check_params"),
        ("lab_make", "pipeline.stages.lab.make"),
        ("lab_a_b_c", "pipeline.stages.lab.a_b_c"),
    ],
)
def test_a_stage_s_name_says_where_its_module_is(name: str, module: str) -> None:
    assert dag.module(name) == module


def test_every_stage_s_module_is_the_file_that_names_it() -> None:
    for name in dag.stage_names(ROOT):
        file = dag.stage_module(name).__file__
        assert file is not None
        inside = Path(file).relative_to(ROOT / "pipeline" / "stages").with_suffix("")
        assert "_".join(inside.parts) == name


def test_each_stage_has_a_file_of_its_code_and_one_of_its_params() -> None:
    assert dag.code_file("lab_make") == "data/check_params/code/lab_make.json"
    assert dag.params_file("lab_make") == "data/check_params/params/lab_make.json"
