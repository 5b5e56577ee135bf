"""dag: a stage's code dependencies are the closure of its imports inside the package."""

from pathlib import Path

import pytest

from pipeline.runtime import dag

FILES = {
    "pipeline/__init__.py": "",
    "pipeline/config.py": "import os\nimport numpy as np\n",
    "pipeline/alone.py": "",
    "pipeline/core/__init__.py": "",
    "pipeline/core/linear.py": "from pipeline.config import Section\n",
    "pipeline/core/ring.py": "from pipeline.core import rung\n",
    "pipeline/core/rung.py": "import pipeline.core.ring\n",
    "pipeline/labs/lab/task.py": (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from pipeline.core.ring import Ring\n"
    ),
    "pipeline/stages/_shared.py": "from pipeline.core import linear as l, missing\n",
    "pipeline/stages/check_params.py": "",
    "pipeline/stages/make.py": (
        "from pipeline.stages._shared import x\n"
        "def late():\n    import pipeline.labs.lab.task as task\n"
    ),
    "pipeline/stages/plain.py": "import pipelined.alone\nfrom other.pipeline import alone\n",
    "dvc.yaml": (
        "# What a comment says stays.\n"
        "stages:\n"
        "  make:\n"
        "    cmd: python -m pipeline make\n"
        "    deps:\n"
        "      - data/other/b.npz\n"
        "      - pipeline/alone.py\n"
        "      - data/other/a.npz\n"
        "    outs:\n"
        "      - data/make/x.npz\n"
        "    metrics:\n"
        "      - data/make/metrics.json:\n"
        "          cache: false\n"
    ),
}
CLOSURE = [
    "pipeline/config.py",
    "pipeline/core/linear.py",
    "pipeline/core/ring.py",
    "pipeline/core/rung.py",
    "pipeline/labs/lab/task.py",
    "pipeline/stages/_shared.py",
    "pipeline/stages/make.py",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_stages_are_the_files_without_an_underscore(root: Path) -> None:
    assert dag.stage_names(root) == ["check_params", "make", "plain"]


def test_the_closure_follows_every_way_to_import_and_only_this_package(root: Path) -> None:
    assert dag.code_of("make", root) == CLOSURE
    assert dag.code_of("plain", root) == ["pipeline/stages/plain.py"]


def test_the_stage_that_checks_params_depends_on_the_code_of_all(root: Path) -> None:
    expected = sorted([*CLOSURE, "pipeline/stages/check_params.py", "pipeline/stages/plain.py"])
    assert dag.expected_deps("check_params", {"deps": ["params.yaml"]}, root) == [
        "params.yaml",
        *expected,
    ]


def test_outputs_are_outs_and_metrics_by_path(root: Path) -> None:
    assert dag.outputs(dag.read(root)["make"]) == ["data/make/x.npz", "data/make/metrics.json"]


def test_writing_deps_keeps_the_data_and_the_comments_and_settles(root: Path) -> None:
    assert dag.write_deps(root)
    assert dag.read(root)["make"]["deps"] == ["data/other/b.npz", "data/other/a.npz", *CLOSURE]
    text = (root / "dvc.yaml").read_text()
    assert text.startswith("# What a comment says stays.\n")
    assert not dag.write_deps(root)
    assert (root / "dvc.yaml").read_text() == text
