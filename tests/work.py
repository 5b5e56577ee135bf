"""Cells of work for tests of execution: what worker processes import must be light."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_info
from torch import Tensor

from pipeline.core.nn.linear import LinearWindow, LinearWindowConfig
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators, minibatches
from pipeline.runtime.compute import parallel, processes
from pipeline.runtime.formats.artifacts import ArtifactError

STEPS = 20
TRAINING = TrainingConfig(
    steps=STEPS,
    batch_size=8,
    optimizer=OptimizerConfig(
        name="Adam",
        learning_rate=0.01,
        options={},
        schedule="cosine",
        final_fraction=0.0,
        warmup_steps=0,
    ),
    clip_norm=1.0,
    dtype="float32",
    record_every=5,
)


def train_seed(seed: int) -> tuple[dict[str, Tensor], History]:
    """Train a small linear model; matrices big enough for torch to use several threads if let."""
    model = LinearWindow(LinearWindowConfig(window=64, d_in=8, d_out=8), generators([seed]))
    data = torch.randn(256, 64, 8, generator=torch.Generator().manual_seed(0))
    streams = generators([seed], purpose=1)

    def loss(model: LinearWindow, batch: Tensor) -> Tensor:
        return (model(batch)[:, :, 0] - batch[:, :, -1]).square().mean((1, 2))

    batches = (data[index] for index in minibatches(256, 8, streams))
    history = train(model, loss, batches, TRAINING, on_step=processes.report)
    return model.state_dict(), history


def train_short_and_endless() -> None:
    """Train two cells of the package side by side: one of a few steps, one that never ends."""
    from pipeline.labs.oscillator.train.forecast import ForecastCell, train_forecaster

    states = torch.randn(20, 4, 2, generator=torch.Generator().manual_seed(0))
    cells = [
        ForecastCell(
            name=name, kind=LinearWindow,
            config=LinearWindowConfig(window=3, d_in=2, d_out=2), seeds=[0], loss="last",
            training=TRAINING.model_copy(update={"steps": steps}), train=states, valid=states,
        )
        for name, steps in (("short", 6), ("endless", 10**9))
    ]  # fmt: skip
    parallel.map_cells(processes.reporting(train_forecaster), cells, description="both")


def same_bits(found: Any, expected: Any) -> bool:
    """Whether two lists of (parameters, history) are equal to the last bit."""
    return len(found) == len(expected) and all(
        ours.keys() == theirs.keys()
        and all(torch.equal(ours[key], theirs[key]) for key in ours)
        and mine.steps == other.steps
        and all(torch.equal(mine.values[key], other.values[key]) for key in mine.values)
        for (ours, mine), (theirs, other) in zip(found, expected, strict=True)
    )


@dataclass(frozen=True)
class LinearCell:
    """Members of one window's length, to be trained for ``steps``."""

    name: str
    seeds: Sequence[int]
    window: int = 3
    steps: int = 4
    measured: bool = True

    @property
    def params(self) -> dict[str, int]:
        return {"window": self.window, "steps": self.steps}

    @property
    def cost(self) -> float:
        return float(self.window)


def train_linear(
    cell: LinearCell, on_step: Callable[[], None]
) -> tuple[LinearWindow, History, dict[str, Tensor]] | tuple[LinearWindow, None]:
    """Train each member on noise of its own; measure its largest weight."""
    config = LinearWindowConfig(window=cell.window, d_in=2, d_out=2)
    model = LinearWindow(config, generators(cell.seeds))
    streams = generators(cell.seeds, purpose=1)
    data = torch.stack([torch.randn(8, cell.window, 2, generator=g) for g in streams])
    training = TRAINING.model_copy(update={"steps": cell.steps, "record_every": 2})

    def loss(model: LinearWindow, batch: Tensor) -> Tensor:
        return model(batch).square().mean((1, 2, 3))

    history = train(model, loss, repeat(data), training, on_step=on_step)
    if not cell.measured:
        return model, None
    return model, history, {"largest": model.map.W.detach().abs().amax((1, 2)).double()}


def slow_square(number: int) -> int:
    """The first cells take longest, so that they end in another order than they start."""
    time.sleep(0.2 / (1 + number))
    return number**2


def threads(_: int) -> tuple[int, list[tuple[str, int]], bool]:
    """Return torch's threads, those of each library that is loaded, and whether torch is exact."""
    import scipy.linalg  # noqa: F401 - brings a BLAS of its own

    pools = [(pool["user_api"], pool["num_threads"]) for pool in threadpool_info()]
    return torch.get_num_threads(), pools, torch.are_deterministic_algorithms_enabled()


def fail_or_wait(folder_and_number: tuple[Path, int]) -> int:
    """Cell 0 fails; the others leave a mark when they start and one if they end."""
    folder, number = folder_and_number
    (folder / f"started_{number}").touch()
    if number == 0:
        while not (folder / "started_1").exists():
            time.sleep(0.01)
        raise ValueError("cell 0 cannot be computed")
    time.sleep(60)
    (folder / f"ended_{number}").touch()
    return number


def refuse(folder: Path) -> None:
    raise ArtifactError(folder / "models.safetensors", "is missing")


def die(number: int) -> int:
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def train_when_told(folder_and_seed: tuple[Path, int]) -> tuple[dict[str, Tensor], History]:
    """Leave a mark, wait for one, and train."""
    folder, seed = folder_and_seed
    (folder / f"cell_{seed}_{os.getpid()}").touch()
    assert until((folder / "go").exists)
    return train_seed(seed)


def tell_and_wait(folder: Path) -> None:
    """Say which process this is, then compute for as long as it lives."""
    (folder / f"worker_{os.getpid()}").touch()
    time.sleep(60)


def wait_in_workers(folder: Path) -> None:
    """A stage with two cells that never end: to be run in a process of its own, and killed."""
    parallel.map_cells(tell_and_wait, [folder, folder], description="waiting")


def wait_for_word(folder: Path) -> None:
    """A stage whose cells wait for a mark: to be run in a process of its own, and interrupted."""
    cells = [(folder, seed) for seed in range(4)]
    parallel.map_cells(train_when_told, cells, description="waiting")


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Wait for a condition; return whether it came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False
