import json
import os
import subprocess
from importlib import metadata

import pytest

from pipeline.runtime import dag
from pipeline.tracking import circumstances
from pipeline.tracking.circumstances import commit_tags, version_tags
from tracking.stage_files import TIMING, execution_of, made, write_fingerprint, write_stage


def test_a_timing_knows_its_seconds():
    assert TIMING.seconds == 12.5


def test_the_time_of_files_is_that_of_the_newest_also_inside_folders(tmp_path):
    write_stage(tmp_path)
    folder = tmp_path / "data/oscillator_train"
    for path in folder.iterdir():
        os.utime(path, (1000, 1000))
    (folder / "code").mkdir()
    (folder / "code" / "a.json").write_text("{}")
    os.utime(folder / "code" / "a.json", (3000, 3000))
    os.utime(folder / "code", (2000, 2000))
    written = made("oscillator_train", "metrics.json", "code")
    assert circumstances.time_of_files(tmp_path, written) == 3_000_000
    assert circumstances.time_of_files(tmp_path, made("oscillator_train")) == 0


@pytest.mark.parametrize("just_ran", [True, False])
def test_versions_are_those_of_the_code_s_fingerprint(tmp_path, just_ran):
    execution = execution_of(tmp_path, deps=write_fingerprint(tmp_path))
    assert version_tags(tmp_path, execution, just_ran=just_ran) == {
        "python": "3.11",
        "torch": "2.13.0",
        "packages": '{"numpy":"2.1","torch":"2.13.0"}',
    }


def test_a_fingerprint_that_is_not_the_execution_s_says_nothing_of_it(tmp_path):
    execution = execution_of(tmp_path, deps=write_fingerprint(tmp_path))
    (tmp_path / dag.code_file("oscillator_train")).write_text('{"python": "3.99"}')
    assert version_tags(tmp_path, execution, just_ran=False) == {}


def test_a_stage_without_a_fingerprint_ran_with_what_is_installed(tmp_path):
    tags = version_tags(tmp_path, execution_of(tmp_path), just_ran=True)
    assert tags["torch"] == metadata.version("torch")
    assert json.loads(tags["packages"])["numpy"] == metadata.version("numpy")


def test_a_clean_commit_and_a_dirty_one_are_told_apart(tmp_path):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "params.yaml").write_text("a: 1\n")
    for command in (["init", "-q"], ["add", "params.yaml"], ["commit", "-q", "-m", "a"]):
        subprocess.run([*git, *command], check=True)
    (tmp_path / ".gitignore").write_text("*\n")
    tags = commit_tags(tmp_path)
    assert (len(tags["commit"]), tags["dirty"]) == (40, "false")
    (tmp_path / "params.yaml").write_text("a: 2\n")
    assert commit_tags(tmp_path)["dirty"] == "true"


def test_a_folder_without_git_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_tags(tmp_path) == {}
