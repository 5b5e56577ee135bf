"""O7: a recipe with which attention alone tracks a trajectory of unknown frequency.

Each ingredient is a switch, so that an ablation can turn one off at a time: aged initial conditions
(the data's), scale equivariance, the energy-normalised loss, Muon on the attention matrices, the
cosine schedule, the previous token. Models are trained on the last position alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from pipeline.bounds import Layers, Members, Size
from pipeline.config import Section, Seeds
from pipeline.core.device import CPU
from pipeline.core.nn.attention import Kind
from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.muon import CombinedOptimizer, Muon, MuonConfig
from pipeline.core.training.optimizers import build
from pipeline.core.training.sampling import generators, grouped, minibatches
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.data.task import energy
from pipeline.labs.oscillator.models.attention import N_CHANNELS
from pipeline.labs.oscillator.models.oracles import ORACLES
from pipeline.labs.oscillator.models.scale_normalised import ScaleNormalised

Batch = tuple[Tensor, Tensor]
Model = ScaleNormalised | Transformer
POLISHED = "_polished"  # ends the name of a model that was polished


class RecipeConfig(Section):
    """One model of O7 and how it is trained."""

    attention: Kind
    d_model: Size
    d_head: Size
    n_layers: Layers
    previous_token: bool
    bias: bool
    scale_normalised: bool
    loss: Literal["energy", "squared"]
    data: Literal["aged", "variable", "damped"]
    muon: MuonConfig | None
    training: TrainingConfig

    @model_validator(mode="after")
    def _heads_fill_the_stream(self) -> "RecipeConfig":
        _ = self.transformer  # whose own rules hold here too
        return self

    @property
    def transformer(self) -> TransformerConfig:
        """The model's configuration: no mask, no positions, no norm, no MLP."""
        return TransformerConfig(
            d_in=N_CHANNELS,
            d_out=N_CHANNELS,
            d_model=self.d_model,
            d_head=self.d_head,
            n_layers=self.n_layers,
            attention=self.attention,
            causal=False,
            positions=0,
            previous_token=self.previous_token,
            bias=self.bias,
            mlp_width=0,
            norm=False,
        )

    @property
    def kind(self) -> type[Model]:
        """The model's class."""
        return ScaleNormalised if self.scale_normalised else Transformer


class RecipesConfig(Section):
    """Recipes by name, all over the same seeds; ``members_per_cell`` seeds are stacked."""

    seeds: Seeds
    members_per_cell: Members
    models: Annotated[Mapping[str, RecipeConfig], Field(min_length=1)]

    @property
    def data(self) -> tuple[str, ...]:
        """The data sets that the recipes name."""
        return tuple(dict.fromkeys(recipe.data for recipe in self.models.values()))

    @model_validator(mode="after")
    def _names_are_free(self) -> "RecipesConfig":
        for name in self.models:
            if name in ORACLES or name.endswith(POLISHED):
                raise ValueError(
                    f"models: {name!r} is the name of an oracle or of a polished model; "
                    "give it another"
                )
        return self


@dataclass(frozen=True, kw_only=True)
class RecipeCell:
    """One piece of work: some seeds of one recipe; splits hold windows and the state after."""

    name: str
    seeds: Sequence[int]
    recipe: RecipeConfig
    train: Split
    valid: Split

    @property
    def steps(self) -> int:
        """Number of optimiser steps."""
        return self.recipe.training.steps

    @property
    def cost(self) -> float:
        """The numbers of its layers' products over a training, about."""
        a_step = self.recipe.training.batch_size * self.recipe.transformer.work(
            self.train.states.shape[1]
        )
        return len(self.seeds) * self.steps * a_step

    @property
    def params(self) -> dict[str, Any]:
        """What it is trained with, for the record."""
        return self.recipe.model_dump(mode="json")


@dataclass(frozen=True)
class RecipeCurveRow:
    """One row of history.csv: a seed's losses after a step (weighted squared errors)."""

    model: str
    seed: int
    step: int
    loss: float | None
    validation_energy: float | None


def weights(data: Split, kind: Literal["energy", "squared"]) -> Float[Tensor, "trajectory 2"]:
    """Return what the errors of (x, p) are multiplied by.

    ``energy``: |error|^2 becomes the energy of the error over that of the window's last state, so
    that every frequency and amplitude counts alike. ``squared``: one.
    """
    last, omega0 = data.states[:, -2], data.omega0
    if kind == "squared":
        return torch.ones_like(last)
    scale = torch.stack([omega0, torch.ones_like(omega0)], dim=1)
    return scale / (2 * energy(last, omega0)).sqrt()[:, None]


def weighted_error(model: nn.Module, batch: Batch) -> Float[Tensor, " member"]:
    """Return each member's mean squared weighted error of the state after the window."""
    states, weight = batch
    predicted = model(states[:, :, :-1], last_only=True)[:, :, 0]
    return ((predicted - states[:, :, -1]) * weight).square().sum(-1).mean(1)


def train_recipe(
    cell: RecipeCell,
    on_step: Callable[[], None] | None = None,
    device: torch.device = CPU,
) -> tuple[Model, History]:
    """Train the cell's members, stacked, and return them with their history."""
    recipe, dtype = cell.recipe, cell.recipe.training.torch_dtype
    model = recipe.kind(recipe.transformer, generators(cell.seeds, purpose=0)).to(device, dtype)
    states, weight, *held = (
        values.to(device, dtype)
        for values in (
            cell.train.states, weights(cell.train, recipe.loss),
            cell.valid.states, weights(cell.valid, "energy"),
        )
    )  # fmt: skip

    def batches() -> Iterator[Batch]:
        streams = generators(cell.seeds, purpose=1)
        for index in minibatches(len(states), recipe.training.batch_size, streams):
            yield states[index], weight[index]

    def evaluate(model: Model) -> dict[str, Tensor]:
        every = (
            held[0].expand(model.members, -1, -1, -1),
            held[1].expand(model.members, -1, -1),
        )
        return {"validation_energy": weighted_error(model, every)}

    history = train(
        model,
        weighted_error,
        batches(),
        recipe.training,
        evaluate=evaluate,
        on_step=on_step,
        optimizer=optimizer(model, recipe),
    )
    return model.to(CPU), history


def optimizer(model: Model, recipe: RecipeConfig) -> CombinedOptimizer:
    """Return Muon for the attention matrices, if asked, and the configured optimiser elsewhere."""
    inside = list(model.layers.parameters())
    chosen = {id(parameter) for parameter in inside}
    others = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    if recipe.muon is None:
        return CombinedOptimizer([build(recipe.training.optimizer, [*others, *inside])])
    muon = Muon(inside, recipe.muon.learning_rate, recipe.muon.momentum)
    return CombinedOptimizer([build(recipe.training.optimizer, others), muon])


def recipe_cells(
    config: RecipesConfig, splits: Mapping[tuple[str, str], Split]
) -> list[RecipeCell]:
    """Return the work: seeds stacked in cells, each on the (data, part) that its recipe names."""
    return [
        RecipeCell(
            name=name,
            seeds=seeds,
            recipe=recipe,
            train=splits[recipe.data, "train"],
            valid=splits[recipe.data, "valid"],
        )
        for name, recipe in config.models.items()
        for seeds in grouped(config.seeds, config.members_per_cell)
    ]
