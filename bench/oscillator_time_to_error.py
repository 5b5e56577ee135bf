"""CPU seconds of training until a rollout of 50 steps is off by less than 5 %, on one core.

The study's loop at its largest size against the recipe of O7, both judged on the same aged
trajectories and, since the study's model knows only young ones, on those too. Judging is not timed.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from torch import Tensor

from bench import timing
from bench.oscillator_training import SIZES, plain_loop, plain_model
from pipeline import config
from pipeline.core.training.ensemble import train
from pipeline.core.training.sampling import generators, minibatches
from pipeline.labs.oscillator.data.windows import windows
from pipeline.labs.oscillator.measure.errors import rollout_error
from pipeline.labs.oscillator.measure.rollout import predict_rollouts, rollout
from pipeline.labs.oscillator.train.recipe import optimizer, weighted_error, weights
from pipeline.stages.oscillator import data as oscillator_data
from pipeline.stages.oscillator import train_ablation as oscillator_train_ablation

ROOT = Path(__file__).resolve().parent.parent
GOAL, STEPS, LIMIT_S, EVERY = 0.05, 50, 150.0, 100


class Stopwatch:
    """Training time without the time of judging, and the first time the goal was met."""

    def __init__(self, judge: Callable[[], dict[str, float]]):
        self.judge, self.start, self.judging = judge, time.process_time(), 0.0
        self.reached: dict[str, float] = {}
        self.last: dict[str, float] = {}
        self.steps = 0

    def step(self) -> bool:
        """Count a step; return whether the time is up or every goal is met."""
        self.steps += 1
        if self.steps % EVERY:
            return False
        now = time.process_time()
        elapsed = now - self.start - self.judging
        self.last = self.judge()
        for name, error in self.last.items():
            if error <= GOAL:
                self.reached.setdefault(name, elapsed)
        self.judging += time.process_time() - now
        return elapsed > LIMIT_S or len(self.reached) == len(self.last)

    def row(self) -> dict[str, float | str]:
        """Return what was found, a time or the error at the end, for each set of trajectories."""
        row: dict[str, float | str] = {"steps": float(self.steps)}
        for name, error in self.last.items():
            never = f"never in {LIMIT_S:.0f} s: {error:.2g}"
            row[name] = self.reached.get(name, never)
        return row


class Enough(Exception):  # noqa: N818 - it ends a training, it is no error
    """The stopwatch has seen enough."""


def main() -> None:
    """Run both and record the times."""
    timing.one_thread()
    data = config.load(ROOT / config.FILE, oscillator_data.Params)
    sets = {name: windows(data.task, getattr(data, name)) for name in ("variable", "aged")}
    window = data.aged.window
    tests: dict[str, Tensor] = {name: s["test"].states for name, s in sets.items()}

    plain = plain_model(SIZES["la8_32_16_nc"])

    def judge_plain() -> dict[str, float]:
        errors = {}
        for name, states in tests.items():
            start = states[None, :, :window].float()
            rolled = rollout(lambda x: plain(x[0])[None, :, -1], start, STEPS).double()
            errors[name] = float(rollout_error(rolled, states[:, window : window + STEPS], STEPS))
        return errors

    watch = Stopwatch(judge_plain)
    plain_loop(plain, 10**9, lambda _: watch.step())
    rows = {"study's loop, 8 layers (32, 16)": watch.row()}

    chosen = config.load(ROOT / config.FILE, oscillator_train_ablation.Params).train
    ours = chosen.models["recipe"]
    model = ours.kind(ours.transformer, generators([0], purpose=0))

    def judge_ours() -> dict[str, float]:
        errors = {}
        for name, states in tests.items():
            rolled = predict_rollouts(model, states[:, :window], STEPS)
            errors[name] = float(rollout_error(rolled, states[:, window : window + STEPS], STEPS))
        return errors

    train_set = sets["aged"]["train"]
    states, weight = train_set.states.float(), weights(train_set, ours.loss).float()

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for index in minibatches(len(states), ours.training.batch_size, generators([0], 1)):
            yield states[index], weight[index]

    watch = Stopwatch(judge_ours)

    def on_step() -> None:
        if watch.step():
            raise Enough

    with suppress(Enough):
        train(
            model, weighted_error, batches(), ours.training,
            on_step=on_step, optimizer=optimizer(model, ours),
        )  # fmt: skip
    rows["O7's recipe"] = watch.row()
    timing.record("oscillator_time_to_error", rows)


if __name__ == "__main__":
    main()
