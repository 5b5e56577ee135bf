"""A stage whose DVC was killed while Python started ends; whoever else lost its parent goes on."""

import os
import subprocess
import sys

import pytest
from work import alive, until

CHILD = """\
import sys, time
from pathlib import Path
from pipeline.runtime import orphans

folder = Path(sys.argv[1])
(folder / "started").touch()
while not (folder / "go").exists():
    time.sleep(0.01)
orphans.end_with_dvc()
(folder / "survived").touch()
"""
PARENT = """\
import subprocess, sys

child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdout=2)
print(child.pid, flush=True)
input()
"""


@pytest.mark.parametrize(
    ("variables", "parent_dies", "survives"),
    [
        ({"DVC_STAGE": "a"}, True, False),
        ({"DVC_STAGE": "a"}, False, True),
        ({}, True, True),  # of nohup, setsid, a container's shell
    ],
)
def test_an_orphan_of_dvc_ends_at_once(tmp_path, variables, parent_dies, survives):
    environment = {name: value for name, value in os.environ.items() if name != "DVC_STAGE"}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD, str(tmp_path)],
        env={**environment, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # of a shell's own; init, which takes in orphans, is in no such one
    )
    child = int(parent.stdout.readline())
    try:
        assert until(lambda: (tmp_path / "started").exists())
        if parent_dies:
            parent.kill()
            parent.wait()
        (tmp_path / "go").touch()
        assert until(lambda: not alive(child))
        assert (tmp_path / "survived").exists() == survives
    finally:
        parent.kill()
        parent.communicate()
