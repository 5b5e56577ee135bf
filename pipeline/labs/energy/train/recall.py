"""E7: train transformers on associative recall, with and without the energy in the loss."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from pipeline.bounds import Layers, Members, NonNegative, Size
from pipeline.config import Section, Seeds
from pipeline.core.device import CPU, moved
from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import recall
from pipeline.labs.energy.train.alignment import mean_alignment


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


class LossConfig(Section):
    """Weights of the two terms of a loss."""

    task: NonNegative
    alignment: NonNegative

    @property
    def description(self) -> str:
        """The loss in words."""
        terms = (("task", self.task), ("alignment", self.alignment))
        weighted = [f"{w:g} {name}" if w != 1 else name for name, w in terms if w]
        return " + ".join(weighted or ["nothing"]) + (" alone" if len(weighted) == 1 else "")


class RecallTrainConfig(Section):
    """``losses``: what each model is trained on, by name.

    The loss is ``task`` times minus the log-likelihood of an answer (nats) minus ``alignment``
    times the mean alignment of updates with descent. ``validation`` sequences judge each record.
    """

    seeds: Seeds
    members_per_cell: Members
    losses: Annotated[Mapping[str, LossConfig], Field(min_length=1)]
    validation: Annotated[int, Field(ge=1, le=10**5)]
    training: TrainingConfig


@dataclass(frozen=True)
class RecallHistoryRow:
    """What ``history.csv`` holds for each loss (``model``), seed and recorded step."""

    model: str
    seed: int
    step: int
    loss: float
    validation_loss: float
    validation_accuracy: float
    alignment: float


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
        """The members' steps; the alignment costs another pass through the model."""
        return float(len(self.seeds) * self.steps * (2 if self.loss.alignment else 1))

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
    """List the cells: for each loss, groups of its seeds."""
    size = train.members_per_cell
    return [
        RecallCell(
            name=name, loss=loss, seeds=train.seeds[k : k + size], task=task,
            model=model.transformer(task), training=train.training, validation=train.validation,
        )
        for name, loss in train.losses.items()
        for k in range(0, len(train.seeds), size)
    ]  # fmt: skip


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
        cache: dict[str, Tensor] | None = {} if cell.loss.alignment else None
        outputs = model(batch.tokens.to(dtype), cache=cache)
        task = -recall.log_likelihood(cell.task, outputs, batch).mean((1, 2))
        total = cell.loss.task * task
        return (
            total if cache is None else total - cell.loss.alignment * mean_alignment(model, cache)
        )

    def evaluate(model: Transformer) -> dict[str, Tensor]:
        cache: dict[str, Tensor] = {}
        outputs = model(valid.tokens, cache=cache)
        return {
            "validation_loss": -recall.log_likelihood(cell.task, outputs, valid).mean((1, 2)),
            "validation_accuracy": recall.accuracy(cell.task, model, valid),
            "alignment": mean_alignment(model, cache),
        }

    drawn = recall.batches(cell.task, cell.training.batch_size, generators(cell.seeds, purpose=1))
    batches = (moved(batch, device) for batch in drawn)
    history = train(model, loss, batches, cell.training, evaluate=evaluate, on_step=on_step)
    return model.to(CPU), history
