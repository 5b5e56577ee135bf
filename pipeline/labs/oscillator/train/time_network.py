"""O2: a network of time, (x0, p0, t) -> (x(t), p(t)) (study, post 4).

Unlike the other models it predicts no step: it must hold the whole motion as a function of time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor

from pipeline.config import Section, Seeds
from pipeline.core.device import CPU
from pipeline.core.nn.mlp import MLP, MLPConfig
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.sampling import generators, minibatches
from pipeline.labs.oscillator.data.time import TimeTriples


class TimeNetworkConfig(Section):
    """The network and its training."""

    seeds: Seeds
    model: MLPConfig
    training: TrainingConfig

    @model_validator(mode="after")
    def _channels(self) -> "TimeNetworkConfig":
        if (self.model.d_in, self.model.d_out) != (3, 2):
            raise ValueError(
                "model.d_in must be 3 (x0, p0, t) and model.d_out 2 (x, p), "
                f"got {self.model.d_in} and {self.model.d_out}"
            )
        return self


@dataclass(frozen=True, kw_only=True)
class TimeCell:
    """One piece of work: some seeds of the network, stacked."""

    name: str
    seeds: Sequence[int]
    model: MLPConfig
    training: TrainingConfig
    data: TimeTriples

    @property
    def steps(self) -> int:
        """Number of optimiser steps."""
        return self.training.steps

    @property
    def cost(self) -> float:
        """The member's steps: all have one shape."""
        return float(len(self.seeds) * self.steps)

    @property
    def params(self) -> dict[str, Any]:
        """What it is trained with, for the record."""
        return {**self.model.model_dump(), **self.training.model_dump(mode="json")}


def time_cells(config: TimeNetworkConfig, data: TimeTriples) -> list[TimeCell]:
    """Return the work: one seed in a cell."""
    return [
        TimeCell(
            name="time_network",
            seeds=[seed],
            model=config.model,
            training=config.training,
            data=data,
        )
        for seed in config.seeds
    ]


def train_time_network(
    cell: TimeCell,
    on_step: Callable[[], None] | None = None,
    device: torch.device = CPU,
) -> tuple[MLP, History]:
    """Train the network on squared errors."""
    dtype = cell.training.torch_dtype
    model = MLP(cell.model, generators(cell.seeds, purpose=0)).to(device, dtype)
    inputs, targets = (x.to(device, dtype) for x in (cell.data.inputs, cell.data.targets))

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        streams = generators(cell.seeds, purpose=1)
        for index in minibatches(len(inputs), cell.training.batch_size, streams):
            yield inputs[index], targets[index]

    def loss(model: MLP, batch: tuple[Tensor, Tensor]) -> Float[Tensor, " member"]:
        x, y = batch
        return (model(x) - y).square().sum(-1).mean(1)

    history = train(model, loss, batches(), cell.training, on_step=on_step)
    return model.to(CPU), history
