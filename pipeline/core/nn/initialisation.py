"""Initial parameters of members, each from its own generator."""

from collections.abc import Sequence

import torch
from torch import nn


def normal(shape: Sequence[int], std: float, generators: Sequence[torch.Generator]) -> nn.Parameter:
    """Draw a parameter [member, *shape] from N(0, std^2), each member from its own generator."""
    return nn.Parameter(torch.stack([torch.randn(*shape, generator=g) for g in generators]) * std)
