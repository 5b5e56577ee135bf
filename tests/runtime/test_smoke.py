import json
import shutil
import subprocess

import pytest

from pipeline import config
from pipeline.__main__ import ROOT
from pipeline.runtime import dag, smoke
from pipeline.stages import check_params

PARAMS = """\
# the lab
oscillator:
  task:
    dt: 0.1  # s, > 0
    gammas: [0.1, 0.2]  # 1/s
  training: {steps: 1000, seeds: [0, 1]}
"""
# A stage that says whose code runs, in its own process and in a forkserver's worker.
MAIN = """\
import json, multiprocessing
from pathlib import Path
from pipeline.work import where

if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pipeline.work"])
    with context.Pool(1) as pool:
        found = {"process": where(0), "worker": pool.apply(where, (0,))}
    found["params"] = Path("params.yaml").read_text()
    Path("data").mkdir(exist_ok=True)
    Path("data/where.json").write_text(json.dumps(found))
"""
FILES = {
    "params.yaml": PARAMS,
    "tests/small_params.yaml": "oscillator:\n  training: {steps: 3}\n",
    "dvc.yaml": "stages:\n  a:\n    cmd: python -m pipeline a\n    outs: [data/where.json]\n",
    ".dvc/config": "[core]\n    analytics = false\n    check_update = false\n",
    ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
    ".gitignore": "/ignored.txt\n/data\n__pycache__/\n",
    "ignored.txt": "not copied",
    "pipeline/__init__.py": "",
    "pipeline/work.py": "def where(_):\n    return __file__\n",
    "pipeline/__main__.py": MAIN,
}


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "checkout"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def overlaid(tmp_path, small, params=PARAMS):
    (tmp_path / "params.yaml").write_text(params)
    (tmp_path / "small.yaml").write_text(small)
    smoke.overlay(tmp_path / "params.yaml", tmp_path / "small.yaml")
    return (tmp_path / "params.yaml").read_text()


def test_the_copy_runs_its_own_code_in_the_stage_and_in_its_workers(checkout, tmp_path):
    said = []
    smoke.run(checkout, tmp_path / "copy", said.append)
    found = json.loads((tmp_path / "copy/data/where.json").read_text())
    assert found["process"] == found["worker"] == str(tmp_path / "copy/pipeline/work.py")
    assert "steps: 3" in found["params"]
    assert not (checkout / "data").exists()
    assert not (tmp_path / "copy/ignored.txt").exists()
    assert any((tmp_path / "copy/.dvc/cache").rglob("*")), "the copy has a cache of its own"
    assert said[-1].startswith("ok: ")


def test_a_failing_stage_is_one_line_that_names_the_copy(checkout, tmp_path):
    (checkout / "pipeline/__main__.py").write_text("raise SystemExit(3)\n")
    with pytest.raises(smoke.QuickError, match=r"dvc repro failed in .*copy \(exit code"):
        smoke.run(checkout, tmp_path / "copy", lambda line: None)


def test_an_override_changes_its_value_alone(tmp_path):
    text = overlaid(tmp_path, "oscillator:\n  task: {dt: 0.5}\n  training: {seeds: [7]}\n")
    expected = PARAMS.replace("dt: 0.1", "dt: 0.5").replace("[0, 1]", "[7]")
    assert text == expected


def test_an_empty_overlay_changes_nothing(tmp_path):
    assert overlaid(tmp_path, "") == PARAMS


PRESETS = """\
presets:
  quick: {steps: 5}
"""


def test_a_preset_is_laid_over_where_it_stands(tmp_path):
    text = overlaid(tmp_path, "presets: {quick: {steps: 1}}", PRESETS + PARAMS)
    assert text == PRESETS.replace("5", "1") + PARAMS


def test_a_key_that_a_preset_gives_is_added_beside_the_preset_s_name(tmp_path):
    params = PARAMS.replace("{steps: 1000,", "{preset: quick,")
    text = overlaid(tmp_path, "oscillator: {training: {steps: 3}}", PRESETS + params)
    assert "training: {preset: quick, seeds: [0, 1], steps: 3}" in text
    with pytest.raises(smoke.QuickError, match=r"oscillator\.task\.steps is not a key"):
        overlaid(tmp_path, "oscillator: {task: {steps: 3}}", PRESETS + params)


@pytest.mark.parametrize(
    ("small", "complaint"),
    [
        ("oscillator: {task: {dz: 1}}", "oscillator.task.dz is not a key of params.yaml"),
        ("memory: {task: {dt: 1}}", "memory is not a key of params.yaml"),
        ("oscillator: {task: 3}", "oscillator.task must be a mapping of keys"),
        ("[1, 2]", "the file must be a mapping of keys"),
    ],
)
def test_an_override_that_fits_nothing_is_named(tmp_path, small, complaint):
    with pytest.raises(smoke.QuickError, match=complaint):
        overlaid(tmp_path, small)


def test_a_folder_without_git_is_one_line(tmp_path):
    with pytest.raises(smoke.QuickError, match="not a git repository"):
        smoke.run(tmp_path, None)


def test_a_folder_with_files_is_left_alone(checkout, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    with pytest.raises(smoke.QuickError, match="is not empty"):
        smoke.run(checkout, tmp_path / "full", lambda line: None)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_a_checkout_without_small_params_is_named(checkout):
    (checkout / smoke.SMALL).unlink()
    with pytest.raises(smoke.QuickError, match=r"tests/small_params.yaml is not among the files"):
        smoke.repository_files(checkout)


def test_nothing_of_the_environment_leads_out_of_the_copy(monkeypatch):
    for name in ("GIT_DIR", "DVC_ROOT", "MLFLOW_TRACKING_URI", "PYTHONPATH"):
        monkeypatch.setenv(name, "elsewhere")
    kept = smoke.environment()
    assert "elsewhere" not in kept.values()
    assert "PATH" in kept


def test_the_copy_begins_without_the_full_scale_s_lock(checkout, tmp_path):
    entry = "schema: '2.0'\nstages:\n  full_scale:\n    cmd: python -m pipeline full_scale\n"
    (checkout / "dvc.lock").write_text(entry)
    smoke.run(checkout, tmp_path / "copy", lambda line: None)
    lock = (tmp_path / "copy/dvc.lock").read_text()
    assert "full_scale" not in lock
    assert "data/where.json" in lock
    assert (checkout / "dvc.lock").read_text() == entry


def test_the_small_scale_is_params_that_pass(tmp_path):
    # Of a key that a preset may give, only the check of the whole says whether there is one.
    shutil.copy(ROOT / "params.yaml", tmp_path)
    smoke.overlay(tmp_path / "params.yaml", ROOT / smoke.SMALL)
    stages = [dag.stage_module(name).Params for name in dag.stage_names(ROOT)]
    config.check(tmp_path / "params.yaml", [*stages, *check_params.TOGETHER])
