"""Parameters and modules with a leading member axis."""

import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.config import Section
from pipeline.core.nn.init import fan_in_uniform, uniform

Model = TypeVar("Model", bound="MemberModule")


class MemberModule(nn.Module):
    """A model of M members: every parameter has the leading axis ``member``.

    Why not ordinary modules under torch.func.vmap: with the axis in sight every product can be
    written for all members (one Gram matrix, one gather), and members join, split and are saved as
    plain tensors.

    Subclasses take (config, generators), one generator a member, and name their ``Config``.
    """

    Config: type[Section]

    def __init__(self, config: Section, generators: Sequence[torch.Generator]):
        super().__init__()
        if not generators:
            raise ValueError("a model needs a generator for each member, got none")
        self.config = config
        self.members = len(generators)

    def member(self: Model, index: int) -> Model:
        """Return a model of one member, a copy of member ``index``."""
        single = type(self)(self.config, [torch.Generator()])
        state = {name: value[index : index + 1] for name, value in self.state_dict().items()}
        single.to(next(iter(state.values())).dtype).load_state_dict(state)
        return single

    @property
    def parameters_per_member(self) -> int:
        """Number of parameters of one member."""
        return sum(p[0].numel() for p in self.parameters())


def concatenate(models: Sequence[MemberModule]) -> MemberModule:
    """Join models of one configuration along the member axis; ValueError if they differ."""
    first = models[0]
    if any(type(m) is not type(first) or m.config != first.config for m in models):
        raise ValueError("only models of one class and configuration can be joined")
    states = [model.state_dict() for model in models]
    joined = {name: torch.cat([state[name] for state in states]) for name in states[0]}
    total = sum(model.members for model in models)
    result = type(first)(first.config, [torch.Generator() for _ in range(total)])
    result.to(next(iter(joined.values())).dtype).load_state_dict(joined)
    return result


class MemberLinear(nn.Module):
    """An affine map for each member, x W + b."""

    def __init__(self, d_in: int, d_out: int, generators: Sequence[torch.Generator], *, bias: bool):
        super().__init__()
        self.W = fan_in_uniform(d_in, d_out, generators)
        # After W, from the same generators: the order of the draws is part of a seed's meaning.
        self.b = uniform((d_out,), 1 / math.sqrt(d_in), generators) if bias else None

    def forward(self, x: Float[Tensor, "member *axes d_in"]) -> Float[Tensor, "member *axes d_out"]:
        """Map the last axis, whatever stands between it and the member axis."""
        flat = x.flatten(1, -2)
        y = flat @ self.W if self.b is None else torch.baddbmm(self.b[:, None], flat, self.W)
        return y.view(*x.shape[:-1], -1)
