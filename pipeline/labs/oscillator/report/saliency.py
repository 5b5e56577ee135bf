"""O4's saliency maps of every seed, as the figure draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from pipeline.labs.oscillator.measure.saliency import off_diagonal_share
from pipeline.labs.oscillator.report.rollouts import median_member


@dataclass(frozen=True)
class SaliencyMaps:
    """Maps dY_i / dX_j of every seed of the model of each loss, rows and columns x1 p1 x2 p2 ...

    ``off_diagonal`` is the share of a map that comes from other positions; ``median`` the column of
    the seed whose share is the median.
    """

    loss: tuple[str, ...]
    seeds: Int64[np.ndarray, "loss seed"]
    maps: Float64[np.ndarray, "loss seed row row"]
    off_diagonal: Float64[np.ndarray, "loss seed"]
    median: Int64[np.ndarray, " loss"]


def saliency_maps(
    jacobians: Mapping[str, Float[Tensor, "member time 2 time 2"]],
    seeds: Mapping[str, Sequence[int]],
) -> SaliencyMaps:
    """Lay the Jacobians of each loss's members out as maps."""
    shares = [off_diagonal_share(jacobian) for jacobian in jacobians.values()]
    maps = [jacobian.flatten(3).flatten(1, 2) for jacobian in jacobians.values()]
    return SaliencyMaps(
        loss=tuple(jacobians),
        seeds=np.array([list(seeds[loss]) for loss in jacobians], dtype=np.int64),
        maps=torch.stack(maps).numpy(),
        off_diagonal=torch.stack(shares).numpy(),
        median=np.array([median_member(share) for share in shares], dtype=np.int64),
    )
