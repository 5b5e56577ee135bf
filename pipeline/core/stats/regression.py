"""Least-squares fits with confidence intervals."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy.special import stdtrit
from torch import Tensor

from pipeline.core.stats.intervals import CONFIDENCE


@dataclass(frozen=True)
class Fit:
    """Coefficients with their intervals, and the share of the variance explained."""

    values: Float[Tensor, " coefficient"]
    low: Float[Tensor, " coefficient"]
    high: Float[Tensor, " coefficient"]
    r2: float


def least_squares(
    design: Float[Tensor, "point coefficient"],
    y: Float[Tensor, " point"],
    confidence: float = CONFIDENCE,
) -> Fit:
    """Fit y = design @ coefficients; intervals are Student's, for independent equal errors.

    Raises ValueError if there are not more points than coefficients.
    """
    points, count = design.shape
    if points <= count:
        raise ValueError(f"a fit of {count} coefficients needs more points than {points}")
    X, y = design.double(), y.double()
    values = torch.linalg.lstsq(X, y).solution
    residual = (y - X @ values).square().sum()
    variance = residual / (points - count) * torch.linalg.inv(X.T @ X).diagonal()
    half_width = float(stdtrit(points - count, (1 + confidence) / 2)) * variance.sqrt()
    spread = (y - y.mean()).square().sum()
    r2 = float(1 - residual / spread) if float(spread) > 0 else 0.0
    return Fit(values, values - half_width, values + half_width, r2)


def polynomial(x: Float[Tensor, " point"], y: Float[Tensor, " point"], degree: int) -> Fit:
    """Fit a polynomial; coefficient k belongs to x^k."""
    return least_squares(torch.stack([x.double() ** k for k in range(degree + 1)], 1), y)


def hinge(
    x: Float[Tensor, " point"], y: Float[Tensor, " point"], breaks: Float[Tensor, " candidate"]
) -> tuple[float, Fit]:
    """Fit two joined lines; return the break with the least residual, and its fit.

    Coefficients are the value at the break, the slope before it and the slope after it.
    """
    best: tuple[float, Fit] | None = None
    for place in breaks.double().tolist():
        before, after = (x.double() - place).clamp(max=0), (x.double() - place).clamp(min=0)
        found = least_squares(torch.stack([torch.ones_like(before), before, after], 1), y)
        if best is None or found.r2 > best[1].r2:
            best = (place, found)
    if best is None:
        raise ValueError("a hinge needs at least one candidate for its break")
    return best
