"""Stages whose histories have many rows, the processes that log them, and what a database holds.

``python -m tests.soak.load_rows ROOT STAGE ROWS GO`` logs one stage when the file GO is there.
"""

import csv
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from pipeline.runtime import smoke
from pipeline.runtime.files import md5
from pipeline.runtime.formats import artifacts
from pipeline.runtime.provenance import Execution
from pipeline.tracking.circumstances import Timing
from pipeline.tracking.record import import_mlflow, record

ROOT = Path(__file__).resolve().parents[2]
MODELS = 2  # child runs of a stage
TIMING = Timing(1_700_000_000_000, 1_700_000_012_500)
SECONDS = 300.0  # for a process on a machine with other work
Row = tuple[str, str, int, float]  # run, metric, step, value
# All rows of visible, finished runs of this project; a child by its model's name.
QUERY = """
SELECT runs.name, metrics.key, metrics.step, metrics.value FROM metrics
JOIN runs ON runs.run_uuid = metrics.run_uuid
WHERE runs.lifecycle_stage = 'active' AND runs.status = 'FINISHED'
"""
RUNS = "SELECT name, status FROM runs WHERE lifecycle_stage = 'active'"


def rows_of(stage: str, rows: int) -> list[Row]:
    """Return what a stage measures: its name and the numbers determine every value."""
    return [
        (f"{stage}.model_{model}", "loss", step, Random(f"{stage} {model} {step}").random())
        for model in range(MODELS)
        for step in range(1, rows + 1)
    ]


def write_stage(root: Path, stage: str, rows: int) -> Execution:
    """Write the files that a training stage leaves, with so many rows in each model's history."""
    folder = root / "data" / stage
    folder.mkdir(parents=True, exist_ok=True)
    history = rows_of(stage, rows)
    with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "step", "loss"])
        writer.writerows((name, step, repr(value)) for name, _, step, value in history)
    entries = [
        {
            "name": name,
            "params": {"stage": stage},
            "metrics": {},
            "history": {"file": "history.csv", "where": {"model": name}},
            "model": None,
            "register": None,
            "example": None,
        }
        for name in dict.fromkeys(row[0] for row in history)
    ]
    artifacts.write_json(folder / "models.json", entries)
    artifacts.write_json(folder / "metrics.json", {"rows": len(history)})
    outs = {f"data/{stage}/{path.name}": md5(path) for path in sorted(folder.iterdir())}
    return Execution(stage=stage, cmd="", params={}, deps={}, outs=outs, desc="Many rows")


def log_at_once(roots: list[Path], stages: list[str], rows: int, go: Path, **environment: str):
    """Log a stage from each root at the same time, in processes; return the seconds it took."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.soak.load_rows"]
    processes = [
        subprocess.Popen(
            [*command, str(root), stage, str(rows), str(go)],
            cwd=ROOT, env={**smoke.environment(), **environment},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for root, stage in zip(roots, stages, strict=True)
    ]  # fmt: skip
    try:
        for process in processes:  # each says when it has imported MLflow
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate(timeout=SECONDS)
        started = time.monotonic()
        go.touch()
        said = [process.communicate(timeout=SECONDS)[1] for process in processes]
        seconds = time.monotonic() - started
        assert [process.returncode for process in processes] == [0] * len(processes), said
    finally:
        for process in processes:
            process.kill()
            process.wait()
        go.unlink(missing_ok=True)
    return seconds


def differences(held: list[Row], expected: list[Row]) -> tuple[int, int]:
    """Return how many rows are lost, and how many are there that should not be."""
    there, wanted = Counter(held), Counter(expected)
    return (wanted - there).total(), (there - wanted).total()


def main(root: Path, stage: str, rows: int, go: Path) -> None:
    """Log one stage when told to."""
    execution = write_stage(root, stage, rows)
    import_mlflow()
    print("ready", flush=True)  # noqa: T201
    deadline = time.monotonic() + SECONDS
    while not go.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    record(root, execution, TIMING)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
    os._exit(0)  # as the process beside a stage ends
