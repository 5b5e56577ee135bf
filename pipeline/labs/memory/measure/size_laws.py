"""M3: how the loss falls with a size, seed by seed: a power law, or something else?

Three forms of two parameters each are fitted to the same points, by least squares of the relative
error: y = A x^b, y = A exp(b x), and y = a + b log x. A power law has one exponent, so the local
exponent between the first two points must be that between the last two.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

LEAST_POINTS = 4  # two parameters leave two points or more to judge the forms by

PerSeed = Float[Tensor, " seed"]


class SizeLaw(NamedTuple):
    """The exponents of each seed, and each form's relative error (root mean square)."""

    exponent: PerSeed
    first_exponent: PerSeed
    last_exponent: PerSeed
    power_error: PerSeed
    exponential_error: PerSeed
    logarithmic_error: PerSeed


def along(x: Float[Tensor, " point"], y: Float[Tensor, "seed point"]) -> SizeLaw:
    """Fit the forms to each seed's points; ValueError for too few, or values not above 0."""
    if len(x) < LEAST_POINTS:
        raise ValueError(f"a law of a size needs {LEAST_POINTS} points or more, got {len(x)}")
    if not bool((x > 0).all() and (y > 0).all()):
        raise ValueError("a law of a size needs sizes and losses above 0")
    x, y = x.double(), y.double()
    one, log_x, log_y = torch.ones_like(x), x.log(), y.log()
    power = _fitted(torch.stack([one, log_x], 1), log_y)
    exponential = _fitted(torch.stack([one, x], 1), log_y)
    # Rows over y: the least squares are those of the relative error, one design a seed.
    rows = torch.stack([one, log_x], 1) / y[:, :, None]
    relative = (rows @ torch.linalg.lstsq(rows, torch.ones_like(y)[:, :, None]).solution)[..., 0]
    local = log_y.diff(dim=1) / log_x.diff()
    return SizeLaw(
        exponent=(log_y @ _centred(log_x)) / _centred(log_x).square().sum(),
        first_exponent=local[:, 0],
        last_exponent=local[:, -1],
        power_error=_rms(power.exp() / y - 1),
        exponential_error=_rms(exponential.exp() / y - 1),
        logarithmic_error=_rms(relative - 1),
    )


def _fitted(
    design: Float[Tensor, "point 2"], y: Float[Tensor, "seed point"]
) -> Float[Tensor, "seed point"]:
    return (design @ torch.linalg.lstsq(design, y.T).solution).T


def _centred(x: Float[Tensor, " point"]) -> Float[Tensor, " point"]:
    return x - x.mean()


def _rms(error: Float[Tensor, "seed point"]) -> PerSeed:
    return error.square().mean(1).sqrt()
