"""Initial values of stacked parameters, each member's drawn from its own generator."""

from collections.abc import Sequence

import torch
from torch import nn


def stacked_uniform(
    shape: Sequence[int], bound: float, generators: Sequence[torch.Generator]
) -> nn.Parameter:
    """Draw a parameter [member, *shape], uniform within ``bound`` of zero."""
    drawn = [torch.empty(*shape).uniform_(-bound, bound, generator=g) for g in generators]
    return nn.Parameter(torch.stack(drawn))


def stacked_normal(shape: Sequence[int], generators: Sequence[torch.Generator]) -> nn.Parameter:
    """Draw a standard normal parameter [member, *shape]."""
    return nn.Parameter(torch.stack([torch.randn(*shape, generator=g) for g in generators]))
