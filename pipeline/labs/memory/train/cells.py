"""Training cells: members of one configuration, each with its own law, by either engine.

*exact* gives every step the whole law. *published* is the study's protocol: contexts sampled once,
passed over several times, and accuracy on those very contexts, averaged over the last batches.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.config import ConfigError, Section
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.memory import exact, problems
from pipeline.labs.memory.laws import Law
from pipeline.labs.memory.models import AttentionMemory, AttentionMemoryConfig, InitialConfig

Size = Annotated[int, Field(ge=1)]
Dtype = Literal["float32", "float64"]
ROUNDING = 1e-12  # of float64 sums of logarithms of order 10; a perfect fit may round below zero
SAMPLES = 2  # the purpose of a seed's stream of sampled contexts; 0 is the model's, 1 the law's


class ExactConfig(Section):
    """Steps on the whole law; ``memory_gib`` is what a step may take."""

    steps: Size
    optimizer: OptimizerConfig
    initial: InitialConfig
    dtype: Dtype
    record_every: Size
    memory_gib: Annotated[float, Field(gt=0)]


class PublishedConfig(Section):
    """``batches`` of ``batch_size`` contexts, sampled once; ``last`` steps average the accuracy."""

    batches: Size
    batch_size: Size
    epochs: Size
    last: Size
    optimizer: OptimizerConfig
    initial: InitialConfig
    dtype: Dtype
    record_every: Size

    @model_validator(mode="after")
    def _last_exist(self) -> "PublishedConfig":
        if self.last > self.batches * self.epochs:
            raise ValueError(
                f"last must not exceed batches * epochs = {self.batches * self.epochs}, "
                f"got {self.last}"
            )
        return self


class EngineConfig(Section):
    """Which engine trains, and the protocol of each: one word apart."""

    engine: Literal["exact", "published"]
    exact: ExactConfig
    published: PublishedConfig

    @property
    def initial(self) -> InitialConfig:
        """The initial scales of the engine in use."""
        return self.exact.initial if self.engine == "exact" else self.published.initial

    def training(self) -> TrainingConfig:
        """Return the engine's protocol for the trainer."""
        chosen = self.exact if self.engine == "exact" else self.published
        published = self.published
        sampled = published.batches * published.epochs
        steps = self.exact.steps if self.engine == "exact" else sampled
        return TrainingConfig(
            steps=steps,
            batch_size=published.batch_size,
            optimizer=chosen.optimizer,
            clip_norm=None,
            dtype=chosen.dtype,
            record_every=chosen.record_every,
        )

    def refuse_too_large(self, N: int, heads: int, members: int, mlp_width: int) -> None:
        """Raise ConfigError if a step of the exact engine needs more memory than it may take."""
        item = self.training().torch_dtype.itemsize
        need = exact.bytes_needed(N, heads, members, mlp_width, item) / 2**30
        if self.engine == "exact" and need > self.exact.memory_gib:
            raise ConfigError(
                f"params.yaml: memory: the exact engine needs about {need:.1f} GiB at N = {N}, "
                f"heads = {heads}, members = {members}, and memory_gib is "
                f"{self.exact.memory_gib:g}: "
                "raise it, or set engine: published"
            )


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Models of one configuration, a seed and a law for each."""

    name: str
    config: AttentionMemoryConfig
    seeds: Sequence[int]
    laws: Sequence[Law]
    engine: EngineConfig
    objective: problems.Objective = "divergence"


@dataclass(frozen=True, kw_only=True)
class Result:
    """Trained members and their final measures.

    ``divergence`` and ``accuracy`` are exact, over the law; ``accuracy_sampled`` is the published
    yardstick, over the sampled training contexts.
    """

    model: AttentionMemory
    history: History
    measures: dict[str, Float[Tensor, " member"]] = field(default_factory=dict)


def train_cell(cell: Cell, on_step: Callable[[], None] | None = None) -> Result:
    """Train one cell."""
    config = cell.engine.training()
    dtype = config.torch_dtype
    model = AttentionMemory(cell.config, generators(cell.seeds)).to(dtype)
    published = cell.engine.published
    triples = problems.sampled_contexts(
        cell.laws, published.batches * published.batch_size, generators(cell.seeds, SAMPLES)
    )
    whole = problems.whole(cell.laws, dtype)
    sampled = problems.batches(cell.laws, triples, published.batch_size, cell.objective, dtype)
    exactly = cell.engine.engine == "exact"
    data: Iterator[exact.Problem] = repeat(whole) if exactly else sampled
    late = LateAccuracy(0 if exactly else config.steps - published.last, exactly)

    def loss(model: AttentionMemory, problem: exact.Problem) -> Tensor:
        late.see(model, problem)
        return exact.divergence(model, problem)

    def evaluate(model: AttentionMemory) -> dict[str, Tensor]:
        assert late.latest is not None
        return {"accuracy": exact.accuracy(model, late.latest)}

    history = train(model, loss, data, config, evaluate=evaluate, on_step=on_step)
    # Measures are taken in float64, whatever the training's precision.
    double, law = in_float64(model), problems.whole(cell.laws, torch.float64)
    measures = measured(double, law)
    measures["accuracy_sampled"] = late.mean() if not exactly else on_samples(double, law, triples)
    return Result(model=model, history=history, measures=measures)


class LateAccuracy:
    """The mean accuracy on the batches of the last steps, before each is learned from.

    ``latest`` is the batch of the step now taken.
    """

    def __init__(self, start: int, off: bool):
        self.start, self.off, self.step = start, off, 0
        self.found: list[Tensor] = []
        self.latest: exact.Problem | None = None

    def see(self, model: AttentionMemory, problem: exact.Problem) -> None:
        """Take note of a batch if it is among the last."""
        if not self.off and self.step >= self.start:
            with torch.no_grad():
                self.found.append(exact.accuracy(model, problem))
        self.step += 1
        self.latest = problem

    def mean(self) -> Float[Tensor, " member"]:
        """Return each member's mean."""
        return torch.stack(self.found).double().mean(0)


def in_float64(model: AttentionMemory) -> AttentionMemory:
    """Return a copy of the model in float64, to be measured: it takes no gradients."""
    double = AttentionMemory(model.config, [torch.Generator() for _ in range(model.members)])
    double.double().load_state_dict(model.state_dict())
    return double.requires_grad_(False)


def measured(model: AttentionMemory, whole: exact.Problem) -> dict[str, Float[Tensor, " member"]]:
    """Return divergence and accuracy over the whole law.

    Raises ArithmeticError if a divergence is negative beyond rounding.
    """
    with torch.no_grad():
        found = exact.divergence(model, whole)
        if bool((found < -ROUNDING).any()):
            raise ArithmeticError(f"a divergence is negative: {found.min().item()}")
        return {"divergence": found.clamp(min=0), "accuracy": exact.accuracy(model, whole)}


def on_samples(
    model: AttentionMemory, whole: exact.Problem, triples: Tensor
) -> Float[Tensor, " member"]:
    """Return the accuracy on the sampled training contexts (the published yardstick)."""
    N = model.config.N
    drawn = torch.zeros(model.members, N * N, dtype=whole.target.weight.dtype)
    drawn.scatter_add_(1, triples[:, :, 0], torch.ones_like(drawn[:, :1]).expand(triples.shape[:2]))
    weight = drawn if whole.pair is None else drawn.gather(1, whole.pair)
    with torch.no_grad():
        return exact.accuracy(model, problems.reweighted(whole, weight))
