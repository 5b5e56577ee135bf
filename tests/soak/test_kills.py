"""Stages killed at random times and run again: the same bits, no orphan, no half-written run."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from threading import Event

import pytest

from soak import kills

# One stage of each kind.
STAGES = (
    "check_params",
    "oscillator_data",
    "oscillator_train_fixed",
    "oscillator_train_variable",  # it registers a model
    "conjunction_search_variants",
    "oscillator_measure_fixed",
    "oscillator_figures_recipe",
)
SHORT = ("check_params", "oscillator_data")
COPIES = 2  # of a long form, side by side
COUNTED = {"difference": "differences", "orphan": "orphans", "run": "half_written"}


def test_killed_at_any_time_and_run_again_a_stage_leaves_the_same(soak, tmp_path):
    stages = STAGES if soak.long else SHORT
    bed = kills.make_bed(tmp_path / "bed_0", stages)
    beds = [bed]
    for number in range(1, COPIES if soak.long else 1):
        folder = tmp_path / f"bed_{number}"
        copytree(bed.folder, folder, symlinks=True)
        beds.append(replace(bed, folder=folder))
    rounds = soak.rounds(short=2, long=200)
    soak.tell(
        rounds=0, stages=len(stages), files=0, differences=0, orphans=0, half_written=0, cut_locks=0
    )

    def some_rounds(index: int) -> list[str]:
        wrong = []
        for number in range(index, rounds, len(beds)):
            if stopped.is_set():
                break
            done, found = kills.one_round(beds[index], stages, soak.random("kills", number))
            soak.tell(rounds=1, files=len(bed.files), cut_locks=done.count("cut dvc.lock"))
            if soak.long:
                print(f"{number}: {done}: {'; '.join(found) or 'ok'}", flush=True)  # noqa: T201
            wrong += [f"round {number}: {done}: {fault}" for fault in found]
            if found:  # what is left of this round would be blamed on the next
                kills.mend(beds[index], stages)
        return wrong

    stopped = Event()  # Ctrl-C ends it with the rounds under way
    with ThreadPoolExecutor(len(beds)) as pool:
        try:
            parts = list(pool.map(some_rounds, range(len(beds))))
        finally:
            stopped.set()
    wrong = [fault for faults in parts for fault in faults]
    for kind, figure in COUNTED.items():
        soak.tell(**{figure: sum(f": {kind}: " in fault for fault in wrong)})
    assert not wrong, "\n".join(wrong)


@contextmanager
def sleeper(bed: kills.Bed) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], cwd=bed.folder, stdin=-1)
    try:
        yield
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("fault", ["difference", "leftover", "orphan"])
def test_what_an_undisturbed_stage_would_not_leave_is_seen(tmp_path, fault):
    (tmp_path / "data").mkdir()
    (tmp_path / "dvc.lock").touch()
    bed = kills.Bed(tmp_path)
    assert list(kills.faults(bed)) == []
    if fault == "difference":
        (tmp_path / "data" / ".a.json.7").touch()
    if fault == "leftover":
        Path(tmp_path / "mlflow.db-wal").touch()
    if fault == "orphan":
        with pytest.MonkeyPatch.context() as patch, sleeper(bed):
            patch.setattr(kills, "END_SECONDS", 0.0)
            assert [line.split(":")[0] for line in kills.faults(bed)] == ["orphan"]
        return
    assert [line.split(":")[0] for line in kills.faults(bed)] == [fault]
