"""Initial values of stacked parameters, each member's drawn from its own generator."""

import math
from collections.abc import Sequence

import torch
from torch import nn

Generators = Sequence[torch.Generator]


def uniform(shape: Sequence[int], bound: float, generators: Generators) -> nn.Parameter:
    """Draw a parameter [member, *shape], uniform within ``bound`` of zero."""
    drawn = [torch.empty(*shape).uniform_(-bound, bound, generator=g) for g in generators]
    return nn.Parameter(torch.stack(drawn))


def fan_in_uniform(d_in: int, d_out: int, generators: Generators) -> nn.Parameter:
    """Draw a weight [member, d_in, d_out] as torch's nn.Linear, uniform within 1 / sqrt(d_in)."""
    return uniform((d_in, d_out), 1 / math.sqrt(d_in), generators)


def normal(shape: Sequence[int], std: float, generators: Generators) -> nn.Parameter:
    """Draw a parameter [member, *shape] from N(0, std^2)."""
    return nn.Parameter(torch.stack([torch.randn(*shape, generator=g) for g in generators]) * std)
