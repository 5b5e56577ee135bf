"""Training that a member leaves once it is solved: its later steps would tell nothing new.

The others go on in a smaller stack. A member is judged by its own numbers alone, so who leaves, and
when, does not depend on the company it trains in but for rounding.

Neither number is enough alone. A member that knows its samples by heart (a training loss of 1e-4)
may still come to the rule; one that has the rule may lose it again while its loss is above 1e-3.
"""

from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pipeline.bounds import Positive, Steps
from pipeline.config import Section
from pipeline.core.nn.layers import concatenate
from pipeline.core.training.ensemble import train
from pipeline.core.training.optimizers import build
from pipeline.labs.conjunction.train.additions import penalised
from pipeline.labs.conjunction.train.fit import FitCell, FitConfig, Learners, accuracies


class EarlyStopConfig(Section):
    """A member stops if a look, once in ``every`` steps, finds this validation ``accuracy``.

    Only a member with a training loss below ``loss`` is looked at.
    """

    every: Steps
    accuracy: Annotated[float, Field(gt=0.5, le=1)]
    loss: Positive


def require_constant_rate(config: FitConfig) -> None:
    """Check that a training can be taken in parts; ValueError if its rate depends on its length."""
    optimizer = config.optimizer
    if optimizer.schedule != "constant" or optimizer.warmup_steps:
        raise ValueError(
            "a search trains at a constant rate without warm-up, got optimizer.schedule = "
            f"{optimizer.schedule} and optimizer.warmup_steps = {optimizer.warmup_steps}"
        )


def final_accuracies(
    cell: FitCell, rule: EarlyStopConfig, on_step: Callable[[], None] | None = None
) -> Float[Tensor, " member"]:
    """Train a cell; return each member's validation accuracy at its end, early or last."""
    learners, config = Learners.of(cell), cell.config
    optimizer = build(config.optimizer, learners.model.parameters())
    accuracy = torch.zeros(len(cell.seeds), dtype=torch.float64)
    training = torch.arange(len(cell.seeds))  # the members that have not left
    for start in range(0, config.steps, rule.every):
        steps = min(rule.every, config.steps - start)
        part = config.model_copy(update={"steps": steps, "record_every": steps})
        history = train(
            learners.model,
            penalised(config, learners.loss),
            repeat(learners.train[0]),
            part.training(cell.data.train.shape[1]),
            on_step=on_step,
            optimizer=optimizer,
        )
        is_last = start + steps == config.steps
        looked_at = (is_last | (history.values["loss"][-1] < rule.loss)).nonzero()[:, 0]
        found = _validation(learners, looked_at.tolist())
        accuracy[training[looked_at]] = found
        going = torch.ones(len(training), dtype=torch.bool)
        going[looked_at] = (found < rule.accuracy) & (not is_last)
        if not bool(going.any()):
            break
        if not bool(going.all()):
            kept = going.nonzero()[:, 0]
            training = training[kept]
            learners, optimizer = _go_on(learners, optimizer, config, kept.tolist())
    return accuracy


def _validation(learners: Learners, kept: Sequence[int]) -> Float[Tensor, " kept"]:
    # Validation sets are large beside those learned from: nobody else is evaluated.
    if not kept:
        return torch.zeros(0, dtype=torch.float64)
    chosen = _only(learners, kept)
    x, y = chosen.valid
    with torch.no_grad():
        return accuracies(chosen.model(x), y)


def _go_on(
    learners: Learners, optimizer: torch.optim.Optimizer, config: FitConfig, kept: Sequence[int]
) -> tuple[Learners, torch.optim.Optimizer]:
    """Return the learners of some members, and an optimiser that goes on for them."""
    smaller = _only(learners, kept)
    going = build(config.optimizer, smaller.model.parameters())
    for old, new in zip(learners.model.parameters(), smaller.model.parameters(), strict=True):
        # A state has the parameter's shape (moments) or is common to all members (the step).
        going.state[new] = {
            name: value[kept] if value.shape == old.shape else value
            for name, value in optimizer.state[old].items()
        }
    return smaller, going


def _only(learners: Learners, kept: Sequence[int]) -> Learners:
    if len(kept) == learners.model.members:
        return learners
    (x, y), (x_valid, y_valid) = learners.train, learners.valid
    return Learners(
        model=concatenate([learners.model.member(k) for k in kept]),
        train=(x[kept], y[kept]),
        valid=(x_valid[kept], y_valid[kept]),
        dropout=[learners.dropout[k] for k in kept],
    )
