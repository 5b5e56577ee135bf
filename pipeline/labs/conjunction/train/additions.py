"""What exercise 3 and section 2.1 ask for: an MLP with something added, and the input as gains.

These trainings stand apart from :mod:`fit`, which the lab's other trainings share.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.bounds import NonNegative
from pipeline.core.nn.layers import MemberLinear, MemberModule
from pipeline.labs.conjunction.models.gated_mlp import GatedMLP, GatedMLPConfig, GatedMLPRecipe
from pipeline.labs.conjunction.models.input_gains import (
    InputGains,
    InputGainsConfig,
    InputGainsRecipe,
)
from pipeline.labs.conjunction.models.mlp import BinaryMLP
from pipeline.labs.conjunction.train.fit import FitConfig, MLPFit

Loss = Callable[[MemberModule, Tensor], Float[Tensor, " member"]]


class GatedMLPFit(FitConfig):
    """The MLP behind learned gains of its inputs, and its training."""

    model: GatedMLPRecipe

    def build(self, positions: int, streams: Sequence[torch.Generator]) -> MemberModule:
        """Make the model for T ``positions``, a member a stream."""
        recipe = self.model.model_dump()
        config = GatedMLPConfig(d_in=positions, d_out=1, activation="gelu", **recipe)
        return GatedMLP(config, streams)


class InputGainsFit(FitConfig):
    """Weights softmax(x Q), and their training."""

    model: InputGainsRecipe

    def build(self, positions: int, streams: Sequence[torch.Generator]) -> MemberModule:
        """Make the model for T ``positions``, a member a stream."""
        config = InputGainsConfig(positions=positions, **self.model.model_dump())
        return InputGains(config, streams)


class SparseMLPFit(MLPFit):
    """The MLP with ``l1`` times the sum of its first layer's absolute weights in the loss."""

    l1: NonNegative


def penalised(config: FitConfig, loss: Loss) -> Loss:
    """Return the loss with the configuration's penalty on it, if it has one."""
    if not isinstance(config, SparseMLPFit):
        return loss

    def with_penalty(model: MemberModule, batch: Tensor) -> Float[Tensor, " member"]:
        assert isinstance(model, BinaryMLP)
        first = model.layers[0]
        assert isinstance(first, MemberLinear)
        return loss(model, batch) + config.l1 * first.W.abs().sum((1, 2))

    return with_penalty
