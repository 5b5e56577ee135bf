"""Full-batch training of the lab's models on data sets of their own, one a member."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.bounds import Steps
from pipeline.config import Section
from pipeline.core.device import CPU, moved
from pipeline.core.nn.layers import MemberModule
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.optimizers import OptimizerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.conjunction.data.datasets import DataSets
from pipeline.labs.conjunction.data.task import label
from pipeline.labs.conjunction.models.attention import (
    AttentionConfig,
    AttentionRecipe,
    BinaryAttention,
)
from pipeline.labs.conjunction.models.encoding import encode
from pipeline.labs.conjunction.models.linear import Linear, LinearConfig
from pipeline.labs.conjunction.models.mlp import BinaryMLP, BinaryMLPRecipe, config_for

INIT, DROPOUT = 0, 3  # streams of a seed, beside those of its data sets
# What the model takes of the samples, and their labels.
LabelledSamples = tuple[Float[Tensor, "member _ ..."], Float[Tensor, "member _"]]


class FitConfig(Section):
    """A training on all samples at every step, of logistic regression; subclasses name others."""

    steps: Steps
    optimizer: OptimizerConfig
    dtype: Literal["float32", "float64"]
    record_every: Steps

    def training(self, samples: int) -> TrainingConfig:
        """Return the trainer's configuration; a batch is the whole data set."""
        return TrainingConfig(
            steps=self.steps,
            batch_size=samples,
            optimizer=self.optimizer,
            clip_norm=None,
            dtype=self.dtype,
            record_every=self.record_every,
        )

    def build(self, positions: int, streams: Sequence[torch.Generator]) -> MemberModule:
        """Make the model for T ``positions``, a member a stream."""
        return Linear(LinearConfig(positions=positions), streams)


class MLPFit(FitConfig):
    """The tutorial's MLP and its training."""

    model: BinaryMLPRecipe

    def build(self, positions: int, streams: Sequence[torch.Generator]) -> MemberModule:
        """Make the model for T ``positions``, a member a stream."""
        return BinaryMLP(config_for(self.model, positions), streams)


class AttentionFit(FitConfig):
    """Attention, the tutorial's or another, and its training."""

    model: AttentionRecipe

    def build(self, positions: int, streams: Sequence[torch.Generator]) -> MemberModule:
        """Make the model for T ``positions``, a member a stream."""
        shape = AttentionConfig(positions=positions, **self.model.model_dump())
        return BinaryAttention(shape, streams)


def losses(
    logits: Float[Tensor, "member sample"], labels: Float[Tensor, "member sample"]
) -> Float[Tensor, " member"]:
    """Return each member's mean binary cross entropy, in nats.

    The study clips the logarithm of a saturated sigmoid at -100; logits need no clipping.
    """
    return nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(-1)


def accuracies(
    logits: Float[Tensor, "member sample"], labels: Float[Tensor, "member sample"]
) -> Float[Tensor, " member"]:
    """Return the fraction of samples on whose label the logit's sign is right."""
    return ((logits > 0) == (labels > 0.5)).double().mean(-1)


@dataclass(frozen=True, kw_only=True)
class HistoryRow:
    """A row of a training's history.csv; a value is empty where it is not finite."""

    model: str
    seed: int
    step: int
    loss: float | None
    accuracy: float
    validation_loss: float | None
    validation_accuracy: float


@dataclass(frozen=True, kw_only=True)
class FitCell:
    """One piece of work: the members of one model, each on its seed's data sets."""

    name: str
    config: FitConfig
    seeds: Sequence[int]
    data: DataSets

    @property
    def steps(self) -> int:
        """The steps of its training."""
        return self.config.steps

    @property
    def cost(self) -> float:
        """The bits that its members read in a training."""
        return float(self.data.train.numel() * self.steps)

    @property
    def params(self) -> Mapping[str, Any]:
        """What it is trained with."""
        return self.config.model_dump(mode="json")


def task_cells(
    model: str,
    config: FitConfig,
    seeds: Sequence[int],
    tasks: Mapping[str, DataSets],
    members_per_cell: int,
) -> list[FitCell]:
    """Cut the training of a model on every task into cells; each is named TASK_MODEL."""
    return [
        cell
        for task, data in tasks.items()
        for cell in cells(f"{task}_{model}", config, seeds, data, members_per_cell)
    ]


def cells(
    name: str, config: FitConfig, seeds: Sequence[int], data: DataSets, members_per_cell: int
) -> list[FitCell]:
    """Cut a training into cells of some members."""
    return [
        FitCell(
            name=name,
            config=config,
            seeds=seeds[start : start + members_per_cell],
            data=data.members(start, start + members_per_cell),
        )
        for start in range(0, len(seeds), members_per_cell)
    ]


@dataclass(frozen=True, kw_only=True)
class Learners:
    """The members of a cell at work: a model and, in its precision, what it learns from.

    ``dropout`` holds a stream a member, for the MLP.
    """

    model: MemberModule
    train: LabelledSamples
    valid: LabelledSamples
    dropout: Sequence[torch.Generator]

    @classmethod
    def of(cls, cell: FitCell, device: torch.device = CPU) -> "Learners":
        """Make a cell's learners, untrained, on a device."""
        data, dtype = moved(cell.data, device), cell.config.training(1).torch_dtype
        drawn = cell.config.build(data.train.shape[2], generators(cell.seeds, INIT))
        model = drawn.to(device, dtype)
        train, valid = (
            (encode(model, bits), label(bits, data.targets).to(dtype))
            for bits in (data.train, data.valid)
        )
        streams = generators(cell.seeds, DROPOUT)
        return cls(model=model, train=train, valid=valid, dropout=streams)

    def loss(self, model: MemberModule, batch: Tensor) -> Float[Tensor, " member"]:
        """Return each member's training loss, under dropout where it has any."""
        is_mlp = isinstance(model, BinaryMLP)
        return losses(model(batch, self.dropout) if is_mlp else model(batch), self.train[1])

    def evaluate(self, model: MemberModule) -> dict[str, Float[Tensor, " member"]]:
        """Return each member's training accuracy, and its validation loss and accuracy."""
        (x, y), (x_valid, y_valid) = self.train, self.valid
        logits, logits_valid = model(x), model(x_valid)
        return {
            "accuracy": accuracies(logits, y),
            "validation_loss": losses(logits_valid, y_valid),
            "validation_accuracy": accuracies(logits_valid, y_valid),
        }


def fit(
    cell: FitCell,
    on_step: Callable[[], None] | None = None,
    device: torch.device = CPU,
) -> tuple[MemberModule, History]:
    """Train one cell; the history holds loss and accuracy of training and validation."""
    learners = Learners.of(cell, device)
    history = train(
        learners.model,
        learners.loss,
        repeat(learners.train[0]),
        cell.config.training(cell.data.train.shape[1]),
        evaluate=learners.evaluate,
        on_step=on_step,
    )
    return learners.model.to(CPU), history
