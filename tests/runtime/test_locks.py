"""process: a stage ends with its parent, and no two processes make the same stage."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import work

from pipeline.__main__ import ROOT
from pipeline.runtime import locks
from pipeline.runtime.locks import BusyError

CHILD = """
import pathlib, sys, time
from pipeline.runtime import locks
locks.end_with_parent()
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]])
print(child.pid, flush=True)
child.wait()
"""
HOLDER = """
import pathlib, sys, time
from pipeline.runtime import locks
from pipeline.runtime import locks
with locks.exclusive_lock(pathlib.Path(sys.argv[1]), "a_stage"):
    print("held", flush=True)
    time.sleep(60)
"""


def start(code: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's offer is Linux's")
def test_a_stage_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with start(PARENT, CHILD, str(ready)) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert work.until(ready.exists)
        assert work.alive(child)
        parent.send_signal(signal.SIGKILL)
        assert work.until(lambda: not work.alive(child), seconds=10)


def test_the_lock_names_its_holder_and_is_free_again_after_the_block(tmp_path: Path) -> None:
    lock = tmp_path / "locks" / "a_stage"
    for _ in range(2):
        with locks.exclusive_lock(lock, "a_stage"):
            assert lock.read_text() == str(os.getpid())


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    def fail() -> None:
        with locks.exclusive_lock(tmp_path / "lock", "a_stage"):
            raise ValueError("the stage failed")

    with pytest.raises(ValueError, match="the stage failed"):
        fail()
    with locks.exclusive_lock(tmp_path / "lock", "a_stage"):
        pass


def test_a_second_process_is_told_who_makes_the_stage_until_that_one_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "lock"
    with start(HOLDER, str(lock)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        monkeypatch.setattr(locks, "PATIENCE_SECONDS", 0.3)
        message = f"^a_stage is being made by process {holder.pid}; wait for it or stop it$"
        with pytest.raises(BusyError, match=message), locks.exclusive_lock(lock, "a_stage"):
            pass
        monkeypatch.setattr(locks, "PATIENCE_SECONDS", 30.0)
        holder.send_signal(signal.SIGKILL)
        with locks.exclusive_lock(lock, "a_stage"):
            assert lock.read_text() == str(os.getpid())


def test_a_second_process_waits_for_a_first_that_soon_ends(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with start(HOLDER.replace("sleep(60)", "sleep(0.5)"), str(lock)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with locks.exclusive_lock(lock, "a_stage"):
            assert holder.wait() == 0
