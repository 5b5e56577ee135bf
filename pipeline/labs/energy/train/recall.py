"""E7: train transformers on associative recall, with and without energies in the loss."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from pipeline.bounds import Layers, Members, NonNegative, Size
from pipeline.config import Section, Seeds, distinct
from pipeline.core.device import CPU, moved
from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.train.alignment import mean_alignment, mean_energy
from pipeline.labs.energy.train.matching import best_match


class RecallModelConfig(Section):
    """The transformer's sizes; the task fixes its inputs, outputs and positions."""

    d_model: Size
    d_head: Size
    n_layers: Layers
    attention: Literal["softmax", "linear"]

    def transformer(self, task: recall.RecallConfig) -> TransformerConfig:
        """Return the causal, attention-only transformer for the task, without norms or biases."""
        return TransformerConfig(
            d_in=task.tokens, d_out=task.values, d_model=self.d_model, d_head=self.d_head,
            n_layers=self.n_layers, attention=self.attention, causal=True,
            positions=task.length, previous_token=False, bias=False, mlp_width=0, norm=False,
        )  # fmt: skip

    def with_heads(self, n_heads: int) -> "RecallModelConfig":
        """Return the model of this d_model with so many heads; ValueError if they do not fit."""
        if self.d_model % n_heads:
            raise ValueError(
                f"other_heads must divide d_model, got {n_heads} heads and d_model = {self.d_model}"
            )
        return self.model_copy(update={"d_head": self.d_model // n_heads})


class LossConfig(Section):
    """Weights of the three terms of a loss."""

    task: NonNegative
    alignment: NonNegative
    energy: NonNegative

    @property
    def description(self) -> str:
        """The loss in words."""
        terms = (("task", self.task), ("cosine", self.alignment), ("energy", self.energy))
        weighted = [f"{w:g} {name}" if w != 1 else name for name, w in terms if w]
        return " + ".join(weighted or ["nothing"]) + (" alone" if len(weighted) == 1 else "")


TASK_ALONE = LossConfig(task=1.0, alignment=0.0, energy=0.0)


class RecallTrainConfig(Section):
    """``losses``: what each model is trained on, by name.

    The loss is ``task`` times minus the log-likelihood of an answer (nats), minus ``alignment``
    times the mean alignment of updates with descent, plus ``energy`` times the heads' mean energy.
    ``other_heads`` are numbers of heads, at the same d_model, that the task alone trains too.
    ``validation`` sequences judge each record.
    """

    seeds: Seeds
    members_per_cell: Members
    losses: Annotated[Mapping[str, LossConfig], Field(min_length=1)]
    other_heads: Annotated[tuple[Size, ...], AfterValidator(distinct)]
    validation: Annotated[int, Field(ge=1, le=10**5)]
    training: TrainingConfig


@dataclass(frozen=True)
class RecallHistoryRow:
    """What ``history.csv`` holds for each loss (``model``), seed and recorded step.

    ``other_alignment`` is that of another sequence's update; ``match`` the attention that the asked
    queries of the best head give to the pair they need.
    """

    model: str
    seed: int
    step: int
    loss: float
    validation_loss: float
    validation_accuracy: float
    alignment: float
    other_alignment: float
    match: float


@dataclass(frozen=True, kw_only=True)
class RecallCell:
    """Members of one loss that are trained together."""

    name: str
    loss: LossConfig
    seeds: Sequence[int]
    task: recall.RecallConfig
    model: TransformerConfig
    training: TrainingConfig
    validation: int

    @property
    def steps(self) -> int:
        """The steps of the training."""
        return self.training.steps

    @property
    def cost(self) -> float:
        """The members' steps; energies cost another pass through the model."""
        extra = bool(self.loss.alignment or self.loss.energy)
        return float(len(self.seeds) * self.steps * (1 + extra))

    @property
    def params(self) -> dict[str, Any]:
        """What the members are trained with, flat."""
        return {
            **self.model.model_dump(mode="json"),
            **self.training.model_dump(mode="json"),
            **{f"loss_{key}": value for key, value in self.loss.model_dump().items()},
        }


def cells_of(
    task: recall.RecallConfig, model: RecallModelConfig, train: RecallTrainConfig
) -> list[RecallCell]:
    """List the cells: for each loss, and for each other number of heads, groups of the seeds.

    Raises ValueError for a number of heads that does not divide d_model.
    """
    size = train.members_per_cell
    models = {name: (loss, model) for name, loss in train.losses.items()}
    models |= {heads_name(n): (TASK_ALONE, model.with_heads(n)) for n in train.other_heads}
    return [
        RecallCell(
            name=name, loss=loss, seeds=train.seeds[k : k + size], task=task,
            model=shape.transformer(task), training=train.training, validation=train.validation,
        )
        for name, (loss, shape) in models.items()
        for k in range(0, len(train.seeds), size)
    ]  # fmt: skip


def heads_name(n_heads: int) -> str:
    """Name the model that differs in its number of heads alone."""
    return f"heads_{n_heads}"


def untrained(config: TransformerConfig, seeds: Sequence[int], dtype: torch.dtype) -> Transformer:
    """Return the models as training starts with them."""
    return Transformer(config, generators(seeds)).to(dtype)


def train_cell(
    cell: RecallCell, on_step: Callable[[], None], device: torch.device = CPU
) -> tuple[Transformer, History]:
    """Train the members of a cell on fresh sequences; validation accuracy and alignment beside."""
    dtype = cell.training.torch_dtype
    model = untrained(cell.model, cell.seeds, dtype).to(device)
    valid = recall.draw(cell.task, cell.validation, generators(cell.seeds, purpose=2))
    valid = moved(recall.Sequences(valid.tokens.to(dtype), valid.answers), device)

    def loss(model: Transformer, batch: recall.Sequences) -> Tensor:
        cache: dict[str, Tensor] | None = {} if cell.loss.alignment or cell.loss.energy else None
        outputs = model(batch.tokens.to(dtype), cache=cache)
        total = -cell.loss.task * recall.log_likelihood(cell.task, outputs, batch).mean((1, 2))
        if cache is not None and cell.loss.alignment:
            total = total - cell.loss.alignment * mean_alignment(model, cache)
        if cache is not None and cell.loss.energy:
            total = total + cell.loss.energy * mean_energy(model, cache)
        return total

    def evaluate(model: Transformer) -> dict[str, Tensor]:
        cache: dict[str, Tensor] = {}
        outputs = model(valid.tokens, cache=cache)
        return {
            "validation_loss": -recall.log_likelihood(cell.task, outputs, valid).mean((1, 2)),
            "validation_accuracy": recall.accuracy(cell.task, model, valid),
            "alignment": mean_alignment(model, cache),
            "other_alignment": mean_alignment(model, cache, shift=1),
            "match": best_match(cell.task, cache, valid),
        }

    drawn = recall.batches(cell.task, cell.training.batch_size, generators(cell.seeds, purpose=1))
    batches = (moved(batch, device) for batch in drawn)
    history = train(model, loss, batches, cell.training, evaluate=evaluate, on_step=on_step)
    return model.to(CPU), history
