"""E6's point sets in the plane: shapes blurred by the models' own Gaussian noise."""

import math
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.bounds import Real, Scale
from pipeline.config import Section


class PointSetConfig(Section):
    """A shape of size ``radius`` around ``centre``, blurred by Gaussian noise of ``noise``.

    *ring*: a circle. *spiral*: one and a half turns from the centre out. *clusters*: five points on
    the circle and in its middle, with weights in the ratio 1 : 2 : 3 : 4 : 5.
    """

    shape: Literal["ring", "spiral", "clusters"]
    radius: Scale
    noise: Scale
    centre: tuple[Real, Real]


def draw(
    config: PointSetConfig, count: int, generators: Sequence[torch.Generator]
) -> Float[Tensor, "member point 2"]:
    """Draw points, each member from its own generator (float64)."""
    drawn = []
    for g in generators:
        shape = SHAPES[config.shape](count, g) * config.radius
        noise = torch.randn(count, 2, generator=g, dtype=torch.float64) * config.noise
        drawn.append(shape + noise + torch.tensor(config.centre, dtype=torch.float64))
    return torch.stack(drawn)


def _uniform(count: int, g: torch.Generator) -> Tensor:
    return torch.rand(count, generator=g, dtype=torch.float64)


def _polar(radius: Tensor, angle: Tensor) -> Tensor:
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


def _ring(count: int, g: torch.Generator) -> Tensor:
    angle = 2 * math.pi * _uniform(count, g)
    return _polar(torch.ones_like(angle), angle)


def _spiral(count: int, g: torch.Generator) -> Tensor:
    along = _uniform(count, g).sqrt()  # as many points for each length of arc
    return _polar(along, 3 * math.pi * along)


def _clusters(count: int, g: torch.Generator) -> Tensor:
    weights = torch.arange(1, 6, dtype=torch.float64)
    index = torch.multinomial(weights, count, replacement=True, generator=g)
    angle = index * (math.pi / 2)
    return _polar((index < 4).double(), angle)


SHAPES = {"ring": _ring, "spiral": _spiral, "clusters": _clusters}
