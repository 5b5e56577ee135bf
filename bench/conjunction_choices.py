"""Tables behind docs/choices/conjunction.md: rates, steps and strengths, on seeds of no result."""

import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import torch

from pipeline import config
from pipeline.core.training.sampling import grouped
from pipeline.labs.conjunction.data.datasets import draw_data
from pipeline.labs.conjunction.data.task import TaskConfig
from pipeline.labs.conjunction.train.early_stopping import final_accuracies
from pipeline.labs.conjunction.train.fit import FitCell, FitConfig
from pipeline.runtime.compute import numerics
from pipeline.stages.conjunction import search_learners, search_mlp, train_rule

PARAMS = Path(__file__).resolve().parent.parent / config.FILE
FIRST_SEED = 1000  # beyond every seed of params.yaml
STEPS = (150, 300, 500)
RATES = (0.003, 0.01, 0.03, 0.1)
Row = tuple[str, float, float]  # what was tried, the share of solved seeds, their median accuracy


def solved(fit: FitConfig, task: TaskConfig, samples: int, seeds: int) -> tuple[float, float]:
    """Train seeds that no result uses; return the share solved and the median accuracy."""
    search = config.load(PARAMS, search_learners.Params).search
    parts = []
    for group in grouped(range(FIRST_SEED, FIRST_SEED + seeds), 8):
        data = draw_data(task, samples, search.valid, group)
        cell = FitCell(name="", config=fit, seeds=group, data=data)
        parts.append(final_accuracies(cell, search.early_stop))
    accuracy = torch.cat(parts)
    return float((accuracy >= search.threshold).double().mean()), float(accuracy.median())


def at(fit: FitConfig, rate: float, steps: int) -> FitConfig:
    """Return a training at another rate, for other steps."""
    optimizer = fit.optimizer.model_copy(update={"learning_rate": rate})
    update = {"optimizer": optimizer, "steps": steps, "record_every": steps}
    return fit.model_copy(update=update)


def head() -> Iterator[Row]:
    """Rates and steps of the one-query head, at a small and a large T."""
    params = config.load(PARAMS, search_learners.Params)
    fit = params.learners.attention["cls_head"].fit
    for (positions, samples), steps, rate in product(((64, 45), (512, 76)), STEPS, RATES):
        found = solved(at(fit, rate, steps), params.search.task(positions), samples, 16)
        yield f"T = {positions}, {samples} samples, {steps} steps, rate {rate}", *found


def mlp() -> Iterator[Row]:
    """Rates and steps of the MLP."""
    params = config.load(PARAMS, search_learners.Params)
    tried = product((100, 200, 500), (0.001, 0.003, 0.01, 0.03), (8,))
    for steps, rate, seeds in (*tried, (200, 0.003, 24), (200, 0.01, 24), (500, 0.01, 24)):
        fit = at(params.learners.mlp.fit, rate, steps)
        found = solved(fit, params.search.task(64), 256, seeds)
        yield f"{steps} steps, rate {rate}, {seeds} seeds", *found


def additions() -> Iterator[Row]:
    """Strengths of what is added to the MLP."""
    params = config.load(PARAMS, search_mlp.Params)
    added = params.additions
    decay, l1, gains = added.weight_decay.fit, added.l1.fit, added.gains.fit
    strengths: dict[str, FitConfig] = {}
    for value in (0.1, 1.0, 3.0, 10.0, 30.0):
        optimizer = decay.optimizer.model_copy(update={"options": {"weight_decay": value}})
        strengths[f"weight decay {value}"] = decay.model_copy(update={"optimizer": optimizer})
    for value in (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2):
        strengths[f"L1 {value}"] = l1.model_copy(update={"l1": value})
    for value in (1.0, 10.0, 100.0, 300.0, 1000.0):
        model = gains.model.model_copy(update={"gain": value})
        strengths[f"gain {value}"] = gains.model_copy(update={"model": model})
    for samples, (name, fit) in product((76, 45), strengths.items()):
        yield f"{name}, {samples} samples", *solved(fit, params.search.task(64), samples, 8)


def input_gains() -> Iterator[Row]:
    """Rates, steps and initial values of w = softmax(x Q) on the rule task."""
    params = config.load(PARAMS, train_rule.Params)
    fit, [task] = params.train.input_gains, params.data.tasks.values()
    for steps, std, rate in product((1000, 2000), (0.02, 0.5), (0.01, 0.03, 0.1)):
        model = fit.model.model_copy(update={"init_std": std})
        tried = at(fit.model_copy(update={"model": model}), rate, steps)
        yield f"{steps} steps, std {std}, rate {rate}", *solved(tried, task, params.data.train, 10)


TABLES: dict[str, Callable[[], Iterator[Row]]] = {
    "head": head,
    "mlp": mlp,
    "additions": additions,
    "input_gains": input_gains,
}


def main() -> None:
    """Print the table that the command names, a line for each thing tried."""
    if len(sys.argv) != 2 or sys.argv[1] not in TABLES:
        raise SystemExit(f"one of {', '.join(TABLES)}")
    numerics.use_one_thread()
    for name, share, median in TABLES[sys.argv[1]]():
        print(f"{name}: solved {share:.2f}, median accuracy {median:.3f}", flush=True)


if __name__ == "__main__":
    main()
