"""E6: how far the energy-based model's closed forms are from autograd and quadrature."""

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import point_sets
from pipeline.labs.energy.models import energy_based
from pipeline.labs.energy.train.likelihood import LikelihoodConfig


def identities(config: LikelihoodConfig) -> dict[str, Float[Tensor, " seed"]]:
    """Return how far the closed forms are from autograd and quadrature, at random patterns.

    ``log_z_difference`` to the trapezoidal rule; ``gradient_difference`` and ``essay_difference``
    of the closed form and of the essay's printed form to autograd, relative to its norm.
    """
    streams = generators(config.seeds, purpose=3)
    normal = [torch.randn(config.patterns, 2, generator=g, dtype=torch.float64) for g in streams]
    patterns = torch.stack(normal).requires_grad_()
    points = point_sets.draw(next(iter(config.sets.values())), config.train_points, streams)
    nll = energy_based.negative_log_likelihood(points, patterns, config.beta)
    (exact,) = torch.autograd.grad(nll.mean(-1).sum(), patterns)
    with torch.no_grad():
        log_z = energy_based.log_partition(patterns, config.beta)
        integral = energy_based.log_partition_by_quadrature(
            patterns, config.beta, points=config.quadrature_points
        )
        forms = (energy_based.gradient, energy_based.essay_gradient)
        differences = [
            (form(points, patterns, config.beta) - exact).norm(dim=(1, 2)) / exact.norm(dim=(1, 2))
            for form in forms
        ]
    return {
        "log_z_difference": (log_z - integral).abs(),
        "gradient_difference": differences[0],
        "essay_difference": differences[1],
    }
