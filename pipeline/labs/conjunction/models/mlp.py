"""The tutorial's MLP: GELU and dropout after each hidden layer, a logit for each sequence.

Source: Neuromatch NeuroAI, week 1 day 5, tutorial 3 (``BinaryMLP``): hidden weights from
N(0, std^2), hidden biases 0, the output layer as torch initialises it.
"""

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from pipeline.bounds import Scale, Size
from pipeline.config import Section
from pipeline.core.nn.init import normal
from pipeline.core.nn.mlp import ACTIVATIONS, MLP, MLPConfig
from pipeline.labs.conjunction.models.dropout import keep_mask


class BinaryMLPRecipe(Section):
    """Hidden widths, dropout probability, standard deviation of the hidden layers' weights."""

    widths: Annotated[tuple[Size, ...], Field(min_length=1)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    init_std: Scale


class BinaryMLPConfig(MLPConfig):
    """A recipe for ``d_in`` inputs."""

    dropout: Annotated[float, Field(ge=0, lt=1)]
    init_std: Scale


def config_for(recipe: BinaryMLPRecipe, positions: int) -> BinaryMLPConfig:
    """Return the recipe for T ``positions``."""
    return BinaryMLPConfig(d_in=positions, d_out=1, activation="gelu", **recipe.model_dump())


class BinaryMLP(MLP):
    """An MLP with the tutorial's initialisation, and dropout in training."""

    Config = BinaryMLPConfig  # type: ignore[assignment]  # mypy compares the signatures

    def __init__(self, config: BinaryMLPConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: BinaryMLPConfig = config
        for layer, d_in, d_out in zip(
            self.layers, (config.d_in, *config.widths), config.widths, strict=False
        ):
            layer.W = normal((d_in, d_out), config.init_std, generators)
            layer.b = nn.Parameter(torch.zeros(len(generators), d_out))

    def forward(
        self,
        x: Float[Tensor, "member batch d_in"],
        dropout: Sequence[torch.Generator] | None = None,
    ) -> Float[Tensor, "member batch"]:
        """Compute the logits; with generators, one a member, under dropout (in training)."""
        activation = ACTIVATIONS[self.config.activation]
        for layer in self.layers[:-1]:
            x = activation(layer(x))
            if dropout is not None and self.config.dropout:
                x = x * keep_mask(x.shape[1:], self.config.dropout, dropout).to(x)
        return self.layers[-1](x)[..., 0]
