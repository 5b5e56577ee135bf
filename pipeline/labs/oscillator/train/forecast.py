"""Training a model to forecast the next state."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.config import Section
from pipeline.core.device import CPU
from pipeline.core.nn.layers import MemberModule
from pipeline.core.nn.transformer import TransformerConfig
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.sampling import generators, minibatches

LossKind = Literal["last", "sequence"]
Windows = Float[Tensor, "member batch time 2"]


@dataclass(frozen=True, kw_only=True)
class ForecastCell:
    """One piece of work: the members of one model, trained on the same windows.

    ``train`` and ``valid`` are [trajectory, window + 1, 2]: a window and the state after it.
    """

    name: str
    kind: type[MemberModule]
    config: Section
    seeds: Sequence[int]
    loss: LossKind
    training: TrainingConfig
    train: Float[Tensor, "trajectory time 2"]
    valid: Float[Tensor, "other time 2"]

    @property
    def steps(self) -> int:
        """Number of optimiser steps."""
        return self.training.steps

    @property
    def cost(self) -> float:
        """The numbers of its layers' products over a training, about."""
        layers = 1.0
        if isinstance(self.config, TransformerConfig):
            layers = self.config.work(self.train.shape[1])
        return len(self.seeds) * self.steps * self.training.batch_size * layers

    @property
    def params(self) -> dict[str, Any]:
        """What it is trained with, for the record."""
        return {
            **self.config.model_dump(mode="json"),
            **self.training.model_dump(mode="json"),
            "loss_kind": self.loss,
        }


@dataclass(frozen=True)
class ForecastCurveRow:
    """One row of history.csv: a seed's losses after a step (squared errors)."""

    model: str
    seed: int
    step: int
    loss: float | None
    validation_loss: float | None
    validation_last: float | None


def squared_error(model: MemberModule, batch: Windows, kind: LossKind) -> Float[Tensor, " member"]:
    """Return each member's mean over the batch of |predicted - true state|^2.

    ``last`` compares the state after the window (post 2, eq. 1), ``sequence`` every position's
    successor (eq. 3, as a mean over positions where the post sums).
    """
    last = kind == "last"
    predicted = model(batch[:, :, :-1], last_only=last)
    target = batch[:, :, -1:] if last else batch[:, :, 1:]
    return (predicted - target).square().sum(-1).mean((1, 2))


def train_forecaster(
    cell: ForecastCell,
    on_step: Callable[[], None] | None = None,
    device: torch.device = CPU,
) -> tuple[MemberModule, History]:
    """Train one cell; the history holds the training and validation losses."""
    dtype = cell.training.torch_dtype
    model = cell.kind(cell.config, generators(cell.seeds, purpose=0)).to(device, dtype)
    data, valid = cell.train.to(device, dtype), cell.valid.to(device, dtype)

    def batches() -> Iterator[Windows]:
        streams = generators(cell.seeds, purpose=1)
        for index in minibatches(data.shape[0], cell.training.batch_size, streams):
            yield data[index]

    def evaluate(model: MemberModule) -> dict[str, Tensor]:
        every = valid.expand(model.members, -1, -1, -1)
        # The last position's error compares models with and without a mask: without one, the
        # others read the frequency from later states.
        return {
            "validation_loss": squared_error(model, every, cell.loss),
            "validation_last": squared_error(model, every, "last"),
        }

    history = train(
        model,
        lambda model, batch: squared_error(model, batch, cell.loss),
        batches(),
        cell.training,
        evaluate=evaluate,
        on_step=on_step,
    )
    return model.to(CPU), history
