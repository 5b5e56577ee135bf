"""``verify`` on a checkout of one small stage; what differs in a byte is named, and fails."""

import subprocess

import pytest

from pipeline.runtime import smoke, verify
from pipeline.runtime.compute import job

# What the stage writes is its circumstances: the worst of stages.
MAIN = """\
import os, sys, time
from pathlib import Path

Path("data/a").mkdir(parents=True, exist_ok=True)
Path("data/a/same.json").write_text("1\\n")
{worst}
"""
SEEN = {
    "the number of workers": f"os.environ['{job.WORKERS}']",
    "Python's hashes": "str(hash('a'))",
    "the time zone": "time.strftime('%H:%M', time.localtime(0))",
    "the locale": "os.environ['LC_ALL']",
    "the umask": "str(os.umask(0o022))",
    "the checkout's path": "os.getcwd()",
    "threads": "os.environ['OMP_NUM_THREADS']",
}
DVC = "stages:\n  a:\n    cmd: python -m pipeline a\n    outs: [data/a]\n"


def checkout(root, worst=""):
    files = {
        "params.yaml": "oscillator: {steps: 3}\n",
        "tests/small_params.yaml": "oscillator: {steps: 3}\n",
        "dvc.yaml": DVC,
        ".dvc/config": "[core]\n    analytics = false\n    check_update = false\n",
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".gitignore": "/data\n__pycache__/\n",
        "pipeline/__init__.py": "",
        "pipeline/__main__.py": MAIN.format(worst=worst),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def test_a_stage_of_nothing_but_its_params_is_the_same(tmp_path):
    said = []
    verify.run(checkout(tmp_path / "root"), tmp_path / "copies", ["a"], said.append)
    assert said[-1].startswith("ok: 2 files, with dvc.lock, are the same byte by byte")


def test_every_circumstance_is_another_in_the_second_run(tmp_path):
    lines = [
        f"Path('data/a/{number}.txt').write_text({code})"
        for number, code in enumerate(SEEN.values())
    ]
    root = checkout(tmp_path / "root", "\n".join(lines))
    with pytest.raises(verify.VerifyError) as error:
        verify.run(root, tmp_path / "copies", say=lambda _: None)
    message = str(error.value)
    missed = [name for n, name in enumerate(SEEN) if f"data/a/{n}.txt: from byte" not in message]
    assert not missed
    assert "same.json" not in message
    assert f"{len(SEEN) + 1} of {len(SEEN) + 2} files differ" in message  # and dvc.lock


def test_the_second_run_is_in_another_place_with_spaces():
    first, second = verify.both()
    assert " " in second.folder
    assert first.folder != second.folder
    assert first.variables.keys() == second.variables.keys()


def test_a_target_that_is_no_stage_is_refused_before_anything_is_copied(tmp_path):
    root = checkout(tmp_path / "root")
    with pytest.raises(verify.VerifyError, match=r"b is no stage of dvc\.yaml"):
        verify.run(root, tmp_path / "copies", ["a", "b"])
    assert not (tmp_path / "copies").exists()


def test_a_stage_that_fails_is_named(tmp_path, capfd):
    root = checkout(tmp_path / "root", "sys.exit(3)")
    with pytest.raises(smoke.QuickError, match="dvc repro failed in"):
        verify.run(root, tmp_path / "copies", say=lambda _: None)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (b"same", b"same", None),
        (b"", b"", None),
        (b"abcd", b"abXd", "x: from byte 2 on (4 and 4 bytes)"),
        (b"abcd", b"abcde", "x: from byte 4 on (4 and 5 bytes)"),
        (b"", b"a", "x: from byte 0 on (0 and 1 bytes)"),
        (b"a" * 2**20 + b"b", b"a" * 2**20 + b"c", f"x: from byte {2**20} on"),
        (b"a", None, "x: only in the first run"),
        (None, b"a", "x: only in the second run"),
    ],
)
def test_the_first_byte_that_differs_is_named(tmp_path, first, second, told):
    sides = []
    for name, content in (("one", first), ("two", second)):
        path = tmp_path / name
        path.write_bytes(content or b"")
        sides.append({} if content is None else {"x": path})
    lines = verify.differences(*sides)
    assert lines == [] if told is None else lines[0].startswith(told)


def test_only_what_the_stages_that_ran_left_is_compared(tmp_path):
    (tmp_path / "dvc.yaml").write_text(DVC)
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\nstages: {a: {cmd: python}}\n")
    for name in ("data/.locks/a", "data/a/.b.json.7", "data/a/b.json", "data/other/results.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(verify.made(tmp_path)) == ["data/a/b.json", "dvc.lock"]
