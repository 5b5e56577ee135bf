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


def piecewise_linear(
    x: Float[Tensor, " point"],
    y: Float[Tensor, " point"],
    breakpoints: Float[Tensor, " candidate"],
) -> tuple[float, Fit]:
    """Fit two joined lines; return the breakpoint with the least residual, and its fit.

    Coefficients are the value at the breakpoint, the slope before it and the slope after it.
    """
    best: tuple[float, Fit] | None = None
    for breakpoint_ in breakpoints.double().tolist():
        before = (x.double() - breakpoint_).clamp(max=0)
        after = (x.double() - breakpoint_).clamp(min=0)
        fit = least_squares(torch.stack([torch.ones_like(before), before, after], 1), y)
        if best is None or fit.r2 > best[1].r2:
            best = (breakpoint_, fit)
    if best is None:
        raise ValueError("two joined lines need at least one candidate for their breakpoint")
    return best
