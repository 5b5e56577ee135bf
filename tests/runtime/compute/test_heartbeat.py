"""heartbeat: a log is told of a stage's start, its course and its end, in whole lines."""

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import work

from pipeline.__main__ import ROOT
from pipeline.runtime.compute import heartbeat, progress
from pipeline.runtime.compute.heartbeat import Heartbeat

NEVER = 3600.0
TIME = r"\d+\.\d s"


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capfd.readouterr()
    assert out == ""
    return err.splitlines()


def test_a_stage_s_start_and_end_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    with Heartbeat("a_stage", NEVER):
        assert lines(capfd) == ["a_stage: started"]  # at once
    (last,) = lines(capfd)
    assert re.fullmatch(f"a_stage: done in {TIME}", last)


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (ValueError("no"), "failed"),
        (KeyboardInterrupt(), "stopped"),
        (SystemExit(143), "stopped"),
    ],
)
def test_an_end_without_a_result_is_told(
    capfd: pytest.CaptureFixture[str], error: BaseException, ending: str
) -> None:
    with pytest.raises(type(error)), Heartbeat("a_stage", NEVER):
        raise error
    assert re.fullmatch(f"a_stage: {ending} after {TIME}", lines(capfd)[-1])


def tells(capfd: pytest.CaptureFixture[str], pattern: str) -> bool:
    """Whether a line is told, sooner or later."""
    return work.until(lambda: any(re.fullmatch(pattern, line) for line in lines(capfd)))


def test_a_stage_that_follows_no_cells_is_told_of(capfd: pytest.CaptureFixture[str]) -> None:
    with Heartbeat("a_stage", 0.01) as beat:
        assert tells(capfd, f"a_stage: computing, {TIME} so far")
        beat.doing = "logging to MLflow"
        assert tells(capfd, f"a_stage: logging to MLflow, {TIME} so far")


def test_how_far_the_cells_are_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with Heartbeat("a_stage", 0.01), progress.following("O3, O4", 400, "steps") as cells:
        cells.update(120)
        assert tells(capfd, f"a_stage: O3, O4: 120 of 400 steps, {TIME} so far")


@pytest.mark.parametrize(
    ("elapsed", "done", "expected"),
    [
        (60.0, 100, ", about 180 s left"),
        (60.0, 400, ", about 0.0 s left"),
        (1200.0, 100, ", about 1 h 0 min left"),
        (1200.0, 200, ", about 20 min left"),
        (5.0, 100, ""),  # too early
        (60.0, 0, ""),
        (60.0, 7, ""),
    ],
)
def test_what_is_left_is_estimated_where_it_can_be(
    elapsed: float, done: int, expected: str
) -> None:
    with progress.following("O3", 400, "steps") as work:
        work.done = done
        work.started -= elapsed
        found = heartbeat.estimate(work)
    assert re.sub(r"(\d+)\.\d", r"\1.0", found) == expected


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.6, "60 s"), (600.0, "10 min"), (3570.0, "1 h 0 min")],
)
def test_a_duration_has_the_digits_that_matter(seconds: float, told: str) -> None:
    assert heartbeat.duration(seconds) == told


def test_a_terminal_has_the_bar_and_the_last_line(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "on_terminal", lambda: True)
    with Heartbeat("a_stage", 0.01), progress.following("O3", 4, "cells"):
        capfd.readouterr()  # the bar, and what may have come before it
        time.sleep(0.1)
        assert not any(line.startswith("a_stage: ") for line in lines(capfd))
    assert re.search(f"a_stage: done in {TIME}$", lines(capfd)[-1])


@pytest.mark.parametrize("stderr", ["None", "closed()"])
def test_a_closed_stderr_costs_no_result(stderr: str) -> None:
    code = (
        "import os, sys\n"
        "from pipeline.runtime.compute.heartbeat import Heartbeat\n"
        f"def closed(): os.close(2); return sys.stderr\n"
        f"sys.stderr = {stderr}\n"
        "with Heartbeat('a_stage', 0.01):\n"
        "    import time; time.sleep(0.05)\n"
        "print('result')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "result\n"


def test_stages_that_share_a_log_write_whole_lines(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pipeline.runtime.compute.heartbeat import Heartbeat\n"
        "for _ in range(200):\n"
        "    with Heartbeat(sys.argv[1]): pass\n"
    )
    with (tmp_path / "log").open("a") as log:
        stages = [
            subprocess.Popen([sys.executable, "-c", code, name * 50], cwd=ROOT, stderr=log)
            for name in "ab"
        ]
        assert [stage.wait() for stage in stages] == [0, 0]
    told = (tmp_path / "log").read_text().splitlines()
    assert len(told) == 2 * 200 * 2
    assert all(re.fullmatch(rf"(a{{50}}|b{{50}}): (started|done in {TIME})", x) for x in told)


def test_the_thread_ends_with_the_stage() -> None:
    before = set(threading.enumerate())
    with Heartbeat("a_stage", NEVER):
        assert len(set(threading.enumerate()) - before) == 1
    assert set(threading.enumerate()) <= before
