"""Two commands of DVC, or of a user's hand, at once in one checkout: nothing lost, none doubled."""

import time
from collections import Counter

import pytest

from pipeline.runtime import provenance
from soak import load_copy as lab

# What DVC, or the stage itself, says when another one is at the same file.
BUSY = ("is busy, it is being blocked by", "Unable to acquire lock", "is being made by process")
QUEUE_SECONDS = 600.0


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return lab.make(tmp_path_factory.mktemp("load") / "copy")


def active(copy):
    return {run for (run,) in lab.ask_file(copy, "SELECT run_uuid FROM runs")}


def check(soak, copy, before, said, expected):
    """Compare the outputs with what they were, and the new runs with the executions."""
    said = [*said, lab.run(copy, "dvc", "repro", *lab.TARGETS)]
    outputs = lab.outputs(copy)
    differences = sum(outputs.get(path) != value for path, value in expected.items())
    ran = Counter({(name, "FINISHED"): n for name, n in lab.executions(said).items()})
    held = lab.visible(lambda query: lab.ask_file(copy, query), before)
    lost, surplus = (ran - held).total(), (held - ran).total()
    soak.tell(
        rounds=1, executions=ran.total(), files=len(expected), differences=differences,
        lost=lost, surplus=surplus,
    )  # fmt: skip
    assert outputs.keys() == expected.keys()
    assert (differences, lost, surplus) == (0, 0, 0), said


def test_two_repros_in_one_checkout(soak, copy):
    expected = lab.outputs(copy)
    entries = provenance.from_lock(copy)
    for turn in range(soak.rounds(short=1, long=10)):
        before = active(copy)
        wait = soak.random("repros", turn).uniform(0, 10 if soak.long else 2)
        first = lab.start(copy, "dvc", "repro", "--force", *lab.TARGETS)
        time.sleep(wait)
        second = lab.start(copy, "dvc", "repro", "--force", *lab.TARGETS)
        ended = [lab.finish(first), lab.finish(second)]
        for code, _, errors in ended:
            assert code == 0 or any(words in errors for words in BUSY), errors
        soak.tell(refused=sum(code != 0 for code, *_ in ended))
        check(soak, copy, before, [said + errors for _, said, errors in ended], expected)
        assert provenance.from_lock(copy) == entries


def test_one_stage_started_twice_by_hand(soak, copy):
    expected = lab.outputs(copy)
    for turn in range(soak.rounds(short=1, long=10)):
        before = active(copy)
        first = lab.start(copy, "pipeline", lab.STAGE)
        time.sleep(soak.random("hand", turn).uniform(0, 3 if soak.long else 0.5))
        second = lab.start(copy, "pipeline", lab.STAGE)
        ended = [lab.finish(first), lab.finish(second)]
        for code, _, errors in ended:
            assert code == 0 or any(words in errors for words in BUSY), errors
        soak.tell(refused=sum(code != 0 for code, *_ in ended))
        check(soak, copy, before, [said + errors for _, said, errors in ended], expected)


def test_two_jobs_of_the_queue(soak, copy):
    expected, before = lab.outputs(copy), active(copy)
    seeds = [str(seed) for seed in range(1, 1 + soak.rounds(short=2, long=6))]
    stage = "conjunction_measure_gains"
    try:
        for seed in seeds:
            change = f"conjunction.gains.seed={seed}"
            lab.run(copy, "dvc", "exp", "run", "--queue", "-n", f"seed-{seed}", "-S", change, stage)
        lab.run(copy, "dvc", "queue", "start", "-j", "2")
        deadline = time.monotonic() + QUEUE_SECONDS
        status = ""
        while "0 active, 0 idle" not in status and time.monotonic() < deadline:
            time.sleep(2)
            status = lab.run(copy, "dvc", "queue", "status")
        assert status.count("Success") == len(seeds), status
        assert "0 active, 0 idle" in status  # no worker is left
    finally:
        lab.finish(lab.start(copy, "dvc", "queue", "stop", "--kill"))
    tags = lab.ask_file(
        copy,
        "SELECT tags.value, params.value, runs.status, runs.run_uuid FROM runs JOIN tags ON "
        "tags.run_uuid = runs.run_uuid JOIN params ON params.run_uuid = runs.run_uuid WHERE "
        f"tags.key = 'dvc.exp' AND runs.name = '{stage}' AND lifecycle_stage = 'active' AND "
        "params.key = 'conjunction.gains.seed'",
    )
    found = sorted(row[:3] for row in tags if row[3] not in before)
    soak.tell(rounds=1, experiments=len(seeds))
    assert found == [(f"seed-{seed}", seed, "FINISHED") for seed in seeds]
    assert lab.outputs(copy) == expected  # the workspace is as it was
    assert not list((copy / ".dvc" / "tmp" / "exps").rglob("mlflow.db"))
