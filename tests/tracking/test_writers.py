import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.tracking import writers
from pipeline.tracking.writers import LOCAL, REMOTE, dead, forget, is_alive, writer

REPOSITORY = Path(__file__).resolve().parent.parent.parent
KILLED = """
import os, sys
from pathlib import Path
from pipeline.tracking import writers
with writers.writer(Path(sys.argv[1]), local=sys.argv[2] == "True") as tag:
    print(tag, flush=True)
    os.kill(os.getpid(), 9)
"""


def killed(folder, *, local):
    """Return the tag of a writer that was killed."""
    command = [sys.executable, "-c", KILLED, str(folder), str(local)]
    return subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE).stdout.decode().strip()


@pytest.mark.parametrize("local", [True, False])
def test_a_writer_is_alive_until_it_ends(tmp_path, local):
    with writer(tmp_path, local=local) as tag:
        host, number, _ = tag.split(" ")
        assert (host, int(number)) == (socket.gethostname(), os.getpid())
        assert is_alive(tmp_path, tag)
        assert dead(tmp_path, LOCAL if local else REMOTE) == {}
        with writer(tmp_path, local=local) as other:
            assert other != tag
    assert list(tmp_path.iterdir()) == []
    assert is_alive(tmp_path, tag) is not local  # another checkout's lock lies elsewhere


@pytest.mark.parametrize("local", [True, False])
def test_a_killed_writer_is_dead_whatever_its_host_and_number(tmp_path, monkeypatch, local):
    tag = killed(tmp_path, local=local)
    monkeypatch.setattr(socket, "gethostname", lambda: "another-container")
    assert not is_alive(tmp_path, tag)
    reused = f"{socket.gethostname()} {os.getpid()} {tag.split(' ')[2]}"
    assert not is_alive(tmp_path, reused)
    (path, found), *others = dead(tmp_path, LOCAL if local else REMOTE).items()
    assert (found, others) == (tag, [])
    assert dead(tmp_path, REMOTE if local else LOCAL) == {}
    forget(path)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_failed_is_known_as_dead(tmp_path):
    with pytest.raises(ValueError, match="a fault"), writer(tmp_path, local=False) as tag:
        raise ValueError("a fault")
    assert list(dead(tmp_path, REMOTE).values()) == [tag]


def test_a_living_writer_s_lock_is_never_removed(tmp_path):
    with writer(tmp_path, local=False) as tag:
        forget(tmp_path / tag.split(" ")[2])
        assert is_alive(tmp_path, tag)


def test_a_copy_of_the_checkout_has_no_writers(tmp_path):
    with writer(tmp_path / "locks", local=False):
        copy = Path(shutil.copytree(tmp_path / "locks", tmp_path / "copy"))
        assert len(list(copy.iterdir())) == 1
        assert dead(copy, REMOTE) == {}
        assert list(copy.iterdir()) == []
        assert len(list((tmp_path / "locks").iterdir())) == 1


def test_a_lock_that_was_taken_for_a_dead_one_s_is_made_anew(tmp_path, monkeypatch):
    flock, removed = writers.fcntl.flock, []

    def late(file, operation):
        if operation == writers.fcntl.LOCK_EX and not removed:
            removed.extend(tmp_path.iterdir())
            removed[0].unlink()  # as another process does that found it without a lock
        flock(file, operation)

    monkeypatch.setattr(writers.fcntl, "flock", late)
    with writer(tmp_path, local=True) as tag:
        assert is_alive(tmp_path, tag)
        assert tmp_path / tag.split(" ")[2] != removed[0]


def test_a_tag_of_an_older_version_is_told_by_its_process(tmp_path, monkeypatch):
    host = socket.gethostname()
    assert not is_alive(tmp_path, f"{host} {os.getpid()} ")
    code = "import sys; print(flush=True); sys.stdin.read()  # python -m pipeline"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert is_alive(tmp_path, f"{host} {process.pid}")
        process.communicate()
        assert not is_alive(tmp_path, f"{host} {process.pid}")
    assert not is_alive(tmp_path, "another-host 1")
