"""Train M members at once along a leading axis: one optimiser, one graph, no shared randomness.

The trainer knows no task: a loss maps (model, batch) to one number a member, and batches come from
an iterator that holds the members' generators. Members share no parameter, so the gradient of the
summed loss is each member's own, and member k is the same model as its seed trained alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor, nn

from pipeline.bounds import Count, Positive, Steps
from pipeline.config import Section
from pipeline.core.training.optimizers import OptimizerConfig, build, schedule_factor

Batch = TypeVar("Batch")
Model = TypeVar("Model", bound=nn.Module)
Loss = Callable[[Model, Batch], Tensor]


@runtime_checkable
class Optimizer(Protocol):
    """What the trainer asks of an optimiser: torch's have it."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients."""

    def step(self) -> Any:
        """Move the parameters."""


class TrainingConfig(Section):
    """How long and how to train."""

    steps: Steps
    batch_size: Count
    optimizer: OptimizerConfig
    clip_norm: Positive | None
    dtype: Literal["float32", "float64"]
    record_every: Steps

    @model_validator(mode="after")
    def _warms_up_in_time(self) -> "TrainingConfig":
        if self.optimizer.warmup_steps > self.steps:
            raise ValueError(
                f"optimizer.warmup_steps must be <= steps = {self.steps}, "
                f"got {self.optimizer.warmup_steps}"
            )
        return self

    @property
    def torch_dtype(self) -> torch.dtype:
        """The dtype of parameters and data in training."""
        return torch.float64 if self.dtype == "float64" else torch.float32


class DivergenceError(RuntimeError):
    """A member's loss is no longer finite; the message names the member and the step."""


@dataclass(frozen=True)
class History:
    """What was recorded during a training: ``values[name]`` is [record, member]."""

    steps: list[int]
    values: dict[str, Float[Tensor, "record member"]]


def clip_by_member_norm(parameters: Sequence[Tensor], limit: float) -> None:
    """Scale each member's gradient, over all parameters, to a norm of at most ``limit``."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    squares = torch.stack([g.flatten(1).square().sum(1) for g in gradients])
    norm = squares.sum(0).sqrt()
    factor = (limit / (norm + 1e-12)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor.view(-1, *[1] * (gradient.ndim - 1)))


def train(
    model: Model,
    loss: Callable[[Model, Batch], Float[Tensor, " member"]],
    batches: Iterator[Batch],
    config: TrainingConfig,
    *,
    learning_rates: Float[Tensor, " member"] | None = None,
    evaluate: Callable[[Model], dict[str, Float[Tensor, " member"]]] | None = None,
    on_step: Callable[[], None] | None = None,
    optimizer: Optimizer | None = None,
) -> History:
    """Train the members in place and return the recorded history.

    Every ``record_every`` steps, and at the last, the history takes ``loss`` (of the batch just
    seen, before its step) and what ``evaluate`` returns (after the step). ``optimizer`` replaces
    the configured one (its groups' rates are scheduled just so). ``learning_rates`` gives each
    member its own instead of the optimiser's, in all its groups. Raises DivergenceError at the
    first record with a loss that is not finite.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    chosen = optimizer or build(config.optimizer, parameters)
    base = [group["lr"] for group in chosen.param_groups]
    history: dict[str, list[Tensor]] = {}
    steps: list[int] = []
    for step in range(config.steps):
        factor = schedule_factor(config.optimizer, step, config.steps)
        for group, rate in zip(chosen.param_groups, base, strict=True):
            group["lr"] = rate * factor
        chosen.zero_grad(set_to_none=True)
        losses = loss(model, next(batches))
        losses.sum().backward()
        if config.clip_norm is not None:
            clip_by_member_norm(parameters, config.clip_norm)
        _step(chosen, base, learning_rates)
        if on_step is not None:
            on_step()
        if (step + 1) % config.record_every == 0 or step + 1 == config.steps:
            recorded = {"loss": losses.detach()}
            _refuse_divergence(losses, step)
            if evaluate is not None:
                with torch.no_grad():
                    recorded |= evaluate(model)
            steps.append(step + 1)
            for name, value in recorded.items():
                history.setdefault(name, []).append(value.to(torch.float64))
    return History(steps, {name: torch.stack(values).cpu() for name, values in history.items()})


def _step(
    optimizer: Optimizer, base: Sequence[float], rates: Float[Tensor, " member"] | None
) -> None:
    if rates is None:
        optimizer.step()
        return
    # torch has one rate a group; every element-wise step is linear in it, so scale the step itself,
    # from the rate that the group began with to the member's (the schedule is in both).
    groups = [group["params"] for group in optimizer.param_groups]
    before = [[p.detach().clone() for p in parameters] for parameters in groups]
    optimizer.step()
    with torch.no_grad():
        for parameters, old_values, rate in zip(groups, before, base, strict=True):
            for parameter, old in zip(parameters, old_values, strict=True):
                scale = (rates / rate).to(old).view(-1, *[1] * (old.ndim - 1))
                parameter.copy_(torch.lerp(old, parameter, scale.expand_as(old)))


def _refuse_divergence(losses: Tensor, step: int) -> None:
    if not bool(torch.isfinite(losses).all()):
        member = int((~torch.isfinite(losses)).nonzero()[0])
        raise DivergenceError(
            f"training diverged: the loss of member {member} is {losses[member].item()} "
            f"at step {step + 1}; a lower learning rate or a clip_norm may help"
        )
