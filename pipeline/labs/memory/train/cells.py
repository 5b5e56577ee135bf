"""Cells of training: members of one configuration, each with its own distribution."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.device import CPU, moved
from pipeline.core.training.ensemble import History, train
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.data import batches
from pipeline.labs.memory.data.batches import Batch, Objective
from pipeline.labs.memory.data.distribution import Distribution
from pipeline.labs.memory.kernels import full_batch
from pipeline.labs.memory.models.attention import AttentionMemory, AttentionMemoryConfig
from pipeline.labs.memory.train.engines import EngineConfig, MinibatchConfig

ROUNDING = 1e-12  # of float64 sums of logarithms of order 10; a perfect fit may round below zero
SAMPLES = 2  # the purpose of a seed's stream of sampled contexts; 0 is the model's, 1 its table's


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Models of one configuration, a seed and a distribution for each."""

    name: str
    config: AttentionMemoryConfig
    seeds: Sequence[int]
    distributions: Sequence[Distribution]
    engine: EngineConfig
    objective: Objective = "divergence"

    @property
    def n_channels(self) -> int:
        """The channels of its heads and MLP, which its time goes with."""
        return self.config.n_heads * self.config.d_head + self.config.mlp_width

    @property
    def steps(self) -> int:
        """The steps of its training."""
        return self.engine.steps

    @property
    def cost(self) -> float:
        """The channels of all members over a training, which its time goes with."""
        return float(self.n_channels * len(self.seeds) * self.steps)

    @property
    def params(self) -> dict[str, Any]:
        """What it is trained with, flat."""
        return {
            **self.config.model_dump(mode="json"),
            **self.engine.model_dump(mode="json"),
            "steps": self.steps,
            "objective": self.objective,
        }


class Result(NamedTuple):
    """Trained members and their final measures.

    ``divergence`` and ``accuracy`` are exact, over the distribution; ``accuracy_train`` is over the
    sampled training contexts, as the study takes it.
    """

    model: AttentionMemory
    history: History
    measures: Mapping[str, Float[Tensor, " member"]]


def make_cell(
    name: str,
    model: AttentionMemoryConfig,
    distributions: Sequence[Distribution],
    seeds: Sequence[int],
    engine: EngineConfig,
    objective: Objective = "divergence",
) -> Cell:
    """Make a cell; ConfigError if it would not fit in memory."""
    engine.refuse_too_large(model, len(seeds))
    return Cell(
        name=name, config=model, seeds=seeds, distributions=distributions, engine=engine,
        objective=objective,
    )  # fmt: skip


def train_cell(
    cell: Cell, on_step: Callable[[], None] | None = None, device: torch.device = CPU
) -> Result:
    """Train one cell."""
    config, engine = cell.engine.training(), cell.engine
    dtype = config.torch_dtype
    model = AttentionMemory(cell.config, generators(cell.seeds)).to(device, dtype)
    triples = batches.sampled_contexts(
        cell.distributions, engine.eval_contexts, generators(cell.seeds, SAMPLES)
    )
    data: Iterator[Batch]
    late: LateAccuracy | None = None
    if isinstance(engine, MinibatchConfig):
        data = batches.minibatches(
            [moved(one, device) for one in cell.distributions],
            triples.to(device),
            engine.batch_size,
            cell.objective,
            dtype,
        )
        late = LateAccuracy(config.steps - engine.eval_batches)
    else:
        data = repeat(moved(batches.full_batch(cell.distributions, dtype), device))
    latest: list[Batch] = []

    def loss(model: AttentionMemory, batch: Batch) -> Tensor:
        latest[:] = [batch]
        if late is not None:
            late.see(model, batch)
        return full_batch.divergence(model, batch)

    def evaluate(model: AttentionMemory) -> dict[str, Tensor]:
        return {"accuracy": full_batch.accuracy(model, latest[0])}

    history = train(model, loss, data, config, evaluate=evaluate, on_step=on_step)
    model.to(CPU)
    # Measures are taken in float64, whatever the training's precision.
    double, whole = in_float64(model), batches.full_batch(cell.distributions, torch.float64)
    measures = measured(double, whole)
    measures["accuracy_train"] = late.mean() if late else on_samples(double, whole, triples)
    return Result(model=model, history=history, measures=measures)


class LateAccuracy:
    """The mean accuracy on the batches from step ``start`` on, before each is learned from."""

    def __init__(self, start: int):
        self.start, self.step = start, 0
        self.accuracies: list[Tensor] = []

    def see(self, model: AttentionMemory, batch: Batch) -> None:
        """Take note of a step's batch if it is among the last."""
        if self.step >= self.start:
            with torch.no_grad():
                self.accuracies.append(full_batch.accuracy(model, batch))
        self.step += 1

    def mean(self) -> Float[Tensor, " member"]:
        """Return each member's mean."""
        return torch.stack(self.accuracies).double().mean(0).cpu()


def in_float64(model: AttentionMemory) -> AttentionMemory:
    """Return a copy of the model in float64, to be measured: it takes no gradients."""
    double = AttentionMemory(model.config, [torch.Generator() for _ in range(model.members)])
    double.double().load_state_dict(model.state_dict())
    return double.requires_grad_(False)


def measured(model: AttentionMemory, whole: Batch) -> dict[str, Float[Tensor, " member"]]:
    """Return divergence and accuracy over the whole distribution.

    Raises ArithmeticError if a divergence is negative beyond rounding.
    """
    with torch.no_grad():
        divergence = full_batch.divergence(model, whole)
        if bool((divergence < -ROUNDING).any()):
            raise ArithmeticError(f"a divergence is negative: {divergence.min().item()}")
        accuracy = full_batch.accuracy(model, whole)
    return {"divergence": divergence.clamp(min=0), "accuracy": accuracy}


def on_samples(model: AttentionMemory, whole: Batch, triples: Tensor) -> Float[Tensor, " member"]:
    """Return the accuracy on the sampled contexts, each as often as it was drawn."""
    N = model.config.N
    drawn = torch.zeros(model.members, N * N, dtype=whole.target.weight.dtype)
    drawn.scatter_add_(1, triples[:, :, 0], torch.ones_like(drawn[:, :1]).expand(triples.shape[:2]))
    weight = drawn if whole.pair is None else drawn.gather(1, whole.pair)
    with torch.no_grad():
        return full_batch.accuracy(model, batches.reweighted(whole, weight))
