"""progress: a bar on a terminal alone; whoever asks is told how far the work is."""

import io
import sys

import pytest

from pipeline.runtime.compute import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_that_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress.following("O3", 40, "steps") as work:
        work.update(10)
    shown = sys.stderr.getvalue()
    assert "O3:" in shown
    assert "10/40" in shown or "0/40" in shown
    assert shown.rpartition("\r")[0].rpartition("\r")[2].strip() == ""  # wiped at the end


@pytest.mark.parametrize("stderr", [io.StringIO(), None])
def test_a_log_gets_no_bar(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO | None) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    with progress.following("O3", 40, "steps") as work:
        work.update(40)
    assert stderr is None or stderr.getvalue() == ""


def test_whoever_asks_is_told_while_the_work_lasts() -> None:
    assert progress.now() is None
    with progress.following("O3", 40, "steps") as work:
        work.update(3)
        work.update(4)
        assert progress.now() is work
        assert (work.description, work.done, work.total, work.unit) == ("O3", 7, 40, "steps")
    assert progress.now() is None


def test_work_that_fails_is_not_followed_further() -> None:
    with pytest.raises(ZeroDivisionError), progress.following("O3", 40, "steps"):
        raise ZeroDivisionError
    assert progress.now() is None
