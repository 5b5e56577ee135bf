"""O7: a recipe with which attention alone tracks a trajectory of unknown frequency.

Each ingredient is a switch, so that an ablation can turn one off at a time: aged initial conditions
(the data's), scale equivariance, the energy-normalised loss, Muon on the attention matrices, the
cosine schedule, the previous token. Models are trained on the last position alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.config import Section, Seeds
from pipeline.core.nn.attention import Kind
from pipeline.core.nn.transformer import TransformerConfig
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.muon import CombinedOptimizer, Muon, MuonConfig
from pipeline.core.training.optimizers import build
from pipeline.core.training.sampling import generators, minibatches
from pipeline.labs.oscillator.datasets import Split
from pipeline.labs.oscillator.equivariant import Equivariant, EquivariantConfig
from pipeline.labs.oscillator.models import Channels
from pipeline.labs.oscillator.task import energy

Size = Annotated[int, Field(ge=1)]
Batch = tuple[Tensor, Tensor]
RESERVED, POLISHED = ("dmd", "likelihood"), "_polished"  # names beside those of the recipes


class RecipeConfig(Section):
    """One model of O7 and how it is trained."""

    attention: Kind
    d_model: Size
    d_head: Size
    n_layers: Size
    previous_token: bool
    bias: bool
    equivariant: bool
    loss: Literal["energy", "squared"]
    data: Literal["aged", "variable", "damped"]
    muon: MuonConfig | None
    training: TrainingConfig

    @model_validator(mode="after")
    def _heads_fill_the_stream(self) -> "RecipeConfig":
        _ = self.model  # whose own rules hold here too
        return self

    @property
    def model(self) -> EquivariantConfig:
        """The model's configuration: no mask, no positions, no norm, no MLP."""
        transformer = TransformerConfig(
            d_in=Channels,
            d_out=Channels,
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
        return EquivariantConfig(transformer=transformer, normalise=self.equivariant)


class RecipesConfig(Section):
    """Recipes by name, all over the same seeds; ``members_per_cell`` seeds are stacked."""

    seeds: Seeds
    members_per_cell: Annotated[int, Field(ge=1)]
    models: Annotated[Mapping[str, RecipeConfig], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_are_free(self) -> "RecipesConfig":
        for name in self.models:
            if name in RESERVED or name.endswith(POLISHED):
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


def weights(data: Split, kind: Literal["energy", "squared"]) -> Float[Tensor, "trajectory 2"]:
    """Return what the errors of (x, p) are multiplied by.

    ``energy``: |error|^2 becomes the energy of the error over that of the window's last state, so
    that every frequency and amplitude counts alike. ``squared``: one.
    """
    last, omega0 = data["states"][:, -2], data["omega0"]
    if kind == "squared":
        return torch.ones_like(last)
    scale = torch.stack([omega0, torch.ones_like(omega0)], dim=1)
    return scale / (2 * energy(last, omega0)).sqrt()[:, None]


def weighted_error(model: Equivariant, batch: Batch) -> Float[Tensor, " member"]:
    """Return each member's mean squared weighted error of the state after the window."""
    states, weight = batch
    predicted = model(states[:, :, :-1], last_only=True)[:, :, 0]
    return ((predicted - states[:, :, -1]) * weight).square().sum(-1).mean(1)


def train_recipe(
    cell: RecipeCell, on_step: Callable[[], None] | None = None
) -> tuple[Equivariant, History]:
    """Train the cell's members, stacked, and return them with their history."""
    recipe, dtype = cell.recipe, cell.recipe.training.torch_dtype
    model = Equivariant(recipe.model, generators(cell.seeds, purpose=0)).to(dtype)
    states, weight = cell.train["states"].to(dtype), weights(cell.train, recipe.loss).to(dtype)
    held = (cell.valid["states"].to(dtype), weights(cell.valid, "energy").to(dtype))

    def batches() -> Iterator[Batch]:
        streams = generators(cell.seeds, purpose=1)
        for index in minibatches(len(states), recipe.training.batch_size, streams):
            yield states[index], weight[index]

    def evaluate(model: Equivariant) -> dict[str, Tensor]:
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
    return model, history


def optimizer(model: Equivariant, recipe: RecipeConfig) -> CombinedOptimizer:
    """Return Muon for the attention matrices, if asked, and the configured optimiser elsewhere."""
    inside = list(model.inner.layers.parameters())
    chosen = {id(parameter) for parameter in inside}
    others = [parameter for parameter in model.parameters() if id(parameter) not in chosen]
    if recipe.muon is None:
        return CombinedOptimizer([build(recipe.training.optimizer, [*others, *inside])])
    muon = Muon(inside, recipe.muon.learning_rate, recipe.muon.momentum)
    return CombinedOptimizer([build(recipe.training.optimizer, others), muon])
