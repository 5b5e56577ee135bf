"""E6: the continuous network as an energy-based model, p(xi) = exp(-beta E(xi)) / Z, exactly.

exp(-beta E) is a sum of Gaussians, so (the essay, with beta)
    log Z = (d/2) log(2 pi / beta) + lse(beta |x_i|^2 / 2),
and the model *is* a mixture of Gaussians around the patterns with covariance I / beta and weights
proportional to exp(beta |x_i|^2 / 2). The weights are tied to the means: far patterns weigh more,
and the model is not translation invariant. An origin b that is learned too, E(xi - b), gives the
invariance back.
"""

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from pipeline.bounds import Positive, Size
from pipeline.config import Section
from pipeline.core.nn.init import normal
from pipeline.core.nn.layers import MemberModule
from pipeline.labs.energy.data.patterns import require_beta, require_patterns
from pipeline.labs.energy.models import continuous


class EnergyBasedConfig(Section):
    """``patterns`` stored vectors in ``d`` dimensions; ``origin``: whether it is learned."""

    d: Size
    patterns: Annotated[int, Field(ge=2, le=4096)]
    beta: Positive
    origin: bool


class EnergyBasedModel(MemberModule):
    """The patterns X (and the origin) as parameters; ``forward`` is minus the log-likelihood.

    Both start at zero mean; :meth:`start_at` puts the patterns on points of the data.
    """

    Config = EnergyBasedConfig

    def __init__(self, config: EnergyBasedConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.config: EnergyBasedConfig = config
        self.X = normal((config.patterns, config.d), 1.0, generators)
        if config.origin:
            self.b = nn.Parameter(torch.zeros(len(generators), 1, config.d))

    def start_at(self, points: Float[Tensor, "member pattern d"]) -> None:
        """Store these points, relative to their mean if the origin is learned."""
        with torch.no_grad():
            mean = points.mean(1, keepdim=True)
            origin = mean if self.config.origin else torch.zeros_like(mean)
            self.X.copy_(points - origin)
            if self.config.origin:
                self.b.copy_(origin)

    def forward(self, points: Float[Tensor, "member point d"]) -> Float[Tensor, "member point"]:
        """Return -log p of each point, in nats."""
        shifted = points - self.b if self.config.origin else points
        return negative_log_likelihood(shifted, self.X, self.config.beta)


def log_partition(
    patterns: Float[Tensor, "*member pattern d"], beta: float
) -> Float[Tensor, "*member"]:
    """Return log Z; ValueError for beta <= 0, one pattern, or patterns that are not finite."""
    require_beta(beta)
    require_patterns(patterns)
    gaussian = patterns.shape[-1] / 2 * math.log(2 * math.pi / beta)
    return gaussian + (beta * patterns.square().sum(-1) / 2).logsumexp(-1)


def negative_log_likelihood(
    points: Float[Tensor, "*member point d"],
    patterns: Float[Tensor, "*member pattern d"],
    beta: float,
) -> Float[Tensor, "*member point"]:
    """Return beta E + log Z for each point."""
    return (
        beta * continuous.energy(points, patterns, beta) + log_partition(patterns, beta)[..., None]
    )


def gradient(
    points: Float[Tensor, "*member point d"],
    patterns: Float[Tensor, "*member pattern d"],
    beta: float,
) -> Float[Tensor, "*member pattern d"]:
    """Return the gradient of the mean of -log p with respect to the patterns, in closed form.

    beta (-mean of xi (x) softmax(beta X^T xi) + X diag(softmax(beta |x_i|^2 / 2))): each pattern is
    pulled to the points that attend to it, and back by its own weight in Z.
    """
    attended = continuous.attention(points, patterns, beta)
    pulled = attended.mT @ points / points.shape[-2]
    weight = (beta * patterns.square().sum(-1) / 2).softmax(-1)
    return beta * (weight[..., None] * patterns - pulled)


def essay_gradient(
    points: Float[Tensor, "*member point d"],
    patterns: Float[Tensor, "*member pattern d"],
    beta: float,
) -> Float[Tensor, "*member pattern d"]:
    """Return what the essay prints: X softmax(.) without diag, one vector for all patterns."""
    attended = continuous.attention(points, patterns, beta)
    pulled = attended.mT @ points / points.shape[-2]
    weight = (beta * patterns.square().sum(-1) / 2).softmax(-1)
    return beta * ((weight[..., None] * patterns).sum(-2, keepdim=True) - pulled)


def log_partition_by_quadrature(
    patterns: Float[Tensor, "*member pattern 2"], beta: float, *, points: int
) -> Float[Tensor, "*member"]:
    """Integrate exp(-beta E) over the plane by the trapezoidal rule, ``points`` a side.

    It reaches 12 standard deviations beyond the outermost pattern. For an integrand that is
    analytic and vanishes at the ends the rule converges exponentially.
    """
    half_width = float(patterns.norm(dim=-1).max()) + 12 / math.sqrt(beta)
    axis = torch.linspace(-half_width, half_width, points, dtype=torch.float64)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    plane = torch.stack([x.flatten(), y.flatten()], dim=1).expand(*patterns.shape[:-2], -1, 2)
    logs = -beta * continuous.energy(plane, patterns, beta)
    return logs.logsumexp(-1) + 2 * math.log(2 * half_width / (points - 1))
