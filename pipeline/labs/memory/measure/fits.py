"""P1-P4: the bounds on what a memory can hold, and the lines fitted to what it does."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.stats.bootstrap import resample
from pipeline.core.stats.regression import Fit, piecewise_linear, polynomial


def lower_bounds(N: int, H: Tensor, d: Tensor, d_head: Tensor) -> Float[Tensor, "2 point"]:
    """Return the accuracy that H heads can reach at least: by the paper, and by its first form.

    (1 - 1/N) (H d_h + d) / N^2 + 1/N (the published theorem), and (1 - 1/N) (H (d_h - 1) + 1) / N^2
    + 1/N (earlier); at most 1.
    """
    counted = torch.stack([H * d_head + d, H * (d_head - 1) + 1]).double()
    return ((1 - 1 / N) * counted / N**2 + 1 / N).clamp(max=1)


def linear_in_heads(n_heads: Tensor, accuracy: Tensor, saturated: float) -> Fit | None:
    """P1: fit accuracy = a + b H where it is below ``saturated``; None with fewer than 3 points."""
    rising = accuracy < saturated
    if len(n_heads[rising].unique()) < 3:
        return None
    return polynomial(n_heads[rising], accuracy[rising], 1)


def growth_of_slopes(d: Tensor, slopes: Tensor) -> Fit:
    """P4: fit log slope = a + k log d; k is the exponent."""
    return polynomial(d.double().log(), slopes.double().log(), 1)


def piecewise(d: Tensor, accuracy: Tensor) -> tuple[float, Fit]:
    """P3: two joined lines; their breakpoint is searched between the extreme dimensions."""
    low, high = float(d.min()), float(d.max())
    candidates = torch.linspace(low + 1, high - 1, int(10 * (high - low - 2)) + 1)
    return piecewise_linear(d, accuracy, candidates)


def resampled_breakpoints(
    d: Float[Tensor, " point"],
    accuracy: Float[Tensor, "seed point"],
    resamples: int,
    generator: torch.Generator,
) -> Float[Tensor, " resample"]:
    """P3: return the breakpoints of the fits to seeds drawn with replacement."""
    seeds = len(accuracy)
    repeated = d.repeat(seeds)
    draws = resample((resamples, seeds), generator).tolist()
    return torch.tensor(
        [piecewise(repeated, accuracy[draw].flatten())[0] for draw in draws], dtype=torch.float64
    )
