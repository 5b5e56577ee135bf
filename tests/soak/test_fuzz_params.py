"""Mutated params files: each is accepted, and then every section builds, or refused in one line.

A failure names the file's number; with it and the seed the same file is made again.
"""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline import config, plain_yaml
from pipeline.__main__ import ROOT
from pipeline.config import ConfigError
from pipeline.runtime import dag
from pipeline.stages import check_params
from soak import fuzz_params, fuzz_text, fuzz_tree
from soak.frame import Soak

TEXT = (ROOT / config.FILE).read_bytes()
FOREIGN = 300  # characters of the file that a message may show
LINE = 2100  # of a whole message: it may list what is known
MORE = 2.0  # seconds of the processor that a mutated file may cost more than the plain one
HANG = 600  # seconds: only a hang takes as long, on a machine that others load too


@contextmanager
def stopped_after(seconds: int, what: str) -> Iterator[None]:
    """Raise TimeoutError in the block if it takes longer."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"{what} takes more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def refusal(path: Path, stages: list[type[config.StageParams]]) -> str | None:
    """The line that refuses a file; None if it is accepted."""
    try:
        config.check(path, stages)
    except ConfigError as error:
        return str(error)
    return None


def assert_one_short_line(message: str, what: str) -> None:
    assert message.startswith("params.yaml: "), what
    assert message.isprintable(), what
    assert len(message) <= LINE, what
    assert message.count("Q") <= FOREIGN, what


def test_a_mutated_file_is_accepted_or_refused_in_one_line(soak: Soak, tmp_path: Path) -> None:
    names = dag.stage_names(ROOT)
    stages = [*(dag.stage_module(name).Params for name in names), *check_params.TOGETHER]
    tree = plain_yaml.parse(TEXT.decode())
    path = tmp_path / config.FILE
    path.write_bytes(TEXT)
    started = time.process_time()
    assert refusal(path, stages) is None
    plain = time.process_time() - started
    for number in range(soak.rounds(short=24, long=1000)):
        content, mutations = fuzz_params.mutated(soak.random("params", number), TEXT, tree)
        path.write_bytes(content)
        what = f"file {number} of seed {soak.seed}: {mutations}"
        started = time.process_time()
        with stopped_after(HANG, what):
            message = refusal(path, stages)
        slower = time.process_time() - started - plain
        soak.tell(files=1, accepted=message is None, refused=message is not None)
        if message is not None:
            assert_one_short_line(message, what)
        if soak.long:
            assert slower < MORE, what


def test_the_command_refuses_a_mutated_file_in_one_line(soak: Soak, tmp_path: Path) -> None:
    for name in ("pipeline", "dvc.yaml", "requirements.lock"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    tree = plain_yaml.parse(TEXT.decode())
    for number in range(soak.rounds(short=1, long=20)):
        content, mutations = fuzz_params.mutated(soak.random("command", number), TEXT, tree)
        (tmp_path / config.FILE).write_bytes(content)
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", "check"],
            cwd=tmp_path, capture_output=True, timeout=HANG, check=False,
        )  # fmt: skip
        error = done.stderr.decode("utf-8")
        soak.tell(files=1, accepted=done.returncode == 0, refused=done.returncode == 1)
        what = f"file {number} of seed {soak.seed}: {mutations}: {error}"
        assert done.stdout == b"", what
        assert done.returncode in (0, 1), what
        if done.returncode:
            assert error.startswith("error: check: params.yaml: "), what
            assert error.endswith("\n"), what
            assert_one_short_line(error.removeprefix("error: check: ")[:-1], what)
        else:
            assert error == "", what


@pytest.mark.parametrize("mutation", [*fuzz_tree.MUTATIONS, *fuzz_text.MUTATIONS])
def test_every_mutation_changes_the_file(mutation, soak: Soak) -> None:
    tree = plain_yaml.parse(TEXT.decode())
    before = tree if mutation in fuzz_tree.MUTATIONS else TEXT
    assert any(mutation(soak.random(k), before) != before for k in range(5))
