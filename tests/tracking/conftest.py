"""A tracking store for every test, made once by four processes at once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
# MLflow and what it imports deprecate things of their own; only this project's warnings are errors.
MARKS = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # its pool of sqlite connections
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            for mark in MARKS:
                item.add_marker(mark)


@pytest.fixture(autouse=True)
def local_store(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A root with a fresh store that four processes prepared at once, and what they said.

    Made once, since the store's schema takes seconds.
    """
    root = tmp_path_factory.mktemp("empty") / "root"
    root.mkdir()
    code = "import sys; from pathlib import Path; from pipeline.tracking import store as t\n"
    code += "t.prepare(Path(sys.argv[1]))"
    command = [sys.executable, "-W", "ignore", "-c", code, str(root)]
    environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
    started = [
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    said = "".join(process.communicate()[0].decode() for process in started)
    assert [process.returncode for process in started] == [0] * 4
    return root, said


@pytest.fixture
def root(prepared, tmp_path):
    return Path(shutil.copytree(prepared[0], tmp_path / "root"))
