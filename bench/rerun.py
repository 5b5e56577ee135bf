"""What a rerun costs: after a tweak, with one more seed, after a kill; with kept cells and without.

``python -m bench.rerun FOLDER`` works in a complete copy of the checkout (in which ``dvc repro``
has nothing to do, and whose finished cells are kept), and changes its params.yaml.
"""

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bench import timing
from pipeline.runtime import smoke
from pipeline.runtime.kept import store

RECIPES, SEEDS, KILLED = "train_recipe", "train_variable", "oscillator_train_ablation"
KILLS = 1  # of a stage of minutes, which is made twice beside
TOLD = re.compile(r"(\d+) of (\d+) cells were kept")


class Checkout:
    """A complete copy, and where its cells are kept."""

    def __init__(self, folder: Path, cells: Path | str):
        self.folder, self.cells = folder, str(cells)

    def dvc(self, *arguments: str, cells: Path | str | None = None) -> subprocess.Popen[str]:
        """Start DVC, in a group of its own."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        kept = {store.FOLDER: str(cells or self.cells)}
        return subprocess.Popen(
            [sys.executable, "-m", "dvc", *arguments], cwd=self.folder, text=True,
            env={**smoke.environment(), "PATH": path, **kept}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def repro(self, *arguments: str, cells: Path | str | None = None) -> tuple[float, str]:
        """Run dvc repro; return its wall seconds and what it printed."""
        started = time.perf_counter()
        process = self.dvc("repro", *arguments, cells=cells)
        printed, _ = process.communicate()
        if process.returncode:
            sys.exit(f"dvc repro {' '.join(arguments)} failed:\n{printed[-3000:]}")
        return time.perf_counter() - started, printed

    def change(self, change: Callable[[Any], None]) -> None:
        """Change the oscillator's sections of params.yaml."""
        yaml, path = YAML(), self.folder / "params.yaml"
        content = yaml.load(path)
        change(content["oscillator"])
        with path.open("w", encoding="utf-8") as file:
            yaml.dump(content, file)


def with_recipe(steps: int) -> Callable[[Any], None]:
    """Add one recipe of so many steps."""

    def change(sections: Any) -> None:
        recipe = {"preset": "small", "training": {"preset": "short_training", "steps": steps}}
        sections[RECIPES]["models"]["added"] = recipe

    return change


def tweak(checkout: Checkout) -> Mapping[str, float]:
    """Add a recipe of 50 steps, and run all that follows; without kept cells, then with them."""
    checkout.change(with_recipe(51))  # another number, which DVC has not run either
    without, _ = checkout.repro(cells=store.OFF)
    checkout.change(with_recipe(50))
    kept, _ = checkout.repro()
    return {"without_s": without, "with_s": kept, "ratio": without / kept}


def seed(checkout: Checkout) -> Mapping[str, float]:
    """Add a seed to O5's training; against the training of one seed alone."""
    before: list[int] = []
    checkout.change(lambda sections: before.extend(sections[SEEDS]["seeds"]))
    seconds = {}
    for name, seeds, cells in (
        ("alone_s", [max(before) + 1], store.OFF),
        ("with_s", [*before, max(before) + 2], None),
    ):
        checkout.change(lambda sections, seeds=seeds: sections[SEEDS].update(seeds=seeds))
        checkout.repro("check_params")
        seconds[name], _ = checkout.repro("-s", f"oscillator_{SEEDS}", cells=cells)
    checkout.change(lambda sections: sections[SEEDS].update(seeds=before))
    return {**seconds, "over_alone": seconds["with_s"] / seconds["alone_s"]}


def killed(checkout: Checkout, number: int) -> Mapping[str, float]:
    """Kill a long stage at a random time and run it again, from no kept cells."""
    with tempfile.TemporaryDirectory() as folder:
        whole, _ = checkout.repro("-f", "-s", KILLED, cells=Path(folder) / "whole")
        delay = random.Random(number).uniform(0.1, 0.9) * whole
        process = checkout.dvc("repro", "-f", "-s", KILLED, cells=Path(folder) / "killed")
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        again, printed = checkout.repro("-f", "-s", KILLED, cells=Path(folder) / "killed")
    told = TOLD.search(printed)
    kept, cells = map(int, told.groups()) if told else (0, 0)
    return {
        "whole_s": whole, "killed_after_s": delay, "again_s": again, "kept": kept, "cells": cells,
    }  # fmt: skip


def main() -> None:
    """Run all in the folder that the command line names, and record the rows."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "dvc.lock").is_file():
        sys.exit("usage: python -m bench.rerun FOLDER: a complete copy of the checkout")
    configured = store.configured()
    checkout = Checkout(Path(sys.argv[1]), configured.folder if configured else store.OFF)
    rows = {"one recipe of 50 steps": tweak(checkout), "one more seed of O5": seed(checkout)}
    rows |= {f"kill {number}": killed(checkout, number) for number in range(KILLS)}
    timing.record("rerun", rows)


if __name__ == "__main__":
    main()
