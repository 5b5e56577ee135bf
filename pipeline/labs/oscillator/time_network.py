"""O2: a network of time, (x0, p0, t) -> (x(t), p(t)) (study, post 4).

Unlike the other models it predicts no step: it must hold the whole motion as a function of time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.config import Interval, Section, Seeds
from pipeline.core.nn.mlp import MLP, MLPConfig
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.sampling import generators, minibatches
from pipeline.labs.oscillator.datasets import Split, split
from pipeline.labs.oscillator.task import advance, initial_in_box

Count = Annotated[int, Field(ge=1)]


class TimeDataConfig(Section):
    """One oscillator: triples (x0, p0, t) and where they lead; test trajectories over all times."""

    omega0: Annotated[float, Field(gt=0)]
    gamma: Annotated[float, Field(ge=0)]
    initial: Interval
    duration: Annotated[float, Field(gt=0)]
    train: Count
    test: Count
    seed: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _underdamped(self) -> "TimeDataConfig":
        if self.gamma >= self.omega0:
            raise ValueError(
                f"gamma must be < omega0 = {self.omega0:g} (under-damped), got {self.gamma:g}"
            )
        return self


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
    """One piece of work: all seeds of the network, stacked."""

    seeds: Sequence[int]
    model: MLPConfig
    training: TrainingConfig
    inputs: Float[Tensor, "sample 3"]
    targets: Float[Tensor, "sample 2"]


def time_data(config: TimeDataConfig, dt: float) -> tuple[dict[str, Tensor], Split]:
    """Return the training triples with their targets, and test trajectories of ``duration``."""
    train_stream, test_stream = (generators([config.seed], purpose)[0] for purpose in range(2))
    initial = initial_in_box(config.train, config.initial, train_stream)
    t = config.duration * torch.rand(config.train, generator=train_stream, dtype=torch.float64)
    omega0, gamma = torch.full_like(t, config.omega0), torch.full_like(t, config.gamma)
    triples = {
        "inputs": torch.cat([initial, t[:, None]], dim=1),
        "targets": advance(initial, omega0, gamma, t),
    }
    start = initial_in_box(config.test, config.initial, test_stream)
    steps = round(config.duration / dt) + 1
    omega0, gamma = (
        torch.full((config.test,), value, dtype=torch.float64)
        for value in (config.omega0, config.gamma)
    )
    test = split(start, omega0, gamma, dt, steps)
    return triples, test


def train_time_network(
    cell: TimeCell, on_step: Callable[[], None] | None = None
) -> tuple[MLP, History]:
    """Train the network on squared errors."""
    dtype = cell.training.torch_dtype
    model = MLP(cell.model, generators(cell.seeds, purpose=0)).to(dtype)
    inputs, targets = cell.inputs.to(dtype), cell.targets.to(dtype)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        streams = generators(cell.seeds, purpose=1)
        for index in minibatches(len(inputs), cell.training.batch_size, streams):
            yield inputs[index], targets[index]

    def loss(model: MLP, batch: tuple[Tensor, Tensor]) -> Float[Tensor, " member"]:
        x, y = batch
        return (model(x) - y).square().sum(-1).mean(1)

    return model, train(model, loss, batches(), cell.training, on_step=on_step)


@torch.no_grad()
def time_rollouts(
    model: MLP, test: Float[Tensor, "trajectory step 2"], dt: float
) -> Float[Tensor, "member trajectory later 2"]:
    """Predict every later state of the test trajectories from their first, in float64."""
    count, steps, _ = test.shape
    dtype = next(model.parameters()).dtype
    t = dt * torch.arange(1, steps, dtype=torch.float64)
    triples = torch.cat(
        [test[:, :1].expand(-1, steps - 1, -1), t[None, :, None].expand(count, -1, -1)], dim=-1
    )
    flat = triples.reshape(1, -1, 3).to(dtype).expand(model.members, -1, -1)
    return model(flat).double().view(model.members, count, steps - 1, 2)
