"""E6: does the partition function's term "keep the norms of the stored patterns in check"?

The loss of a point is beta E + log Z. Trained on beta E alone, from the same points and on the same
minibatches, what becomes of the patterns?
"""

from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.training.ensemble import train
from pipeline.core.training.sampling import generators, minibatches
from pipeline.labs.energy.data import point_sets
from pipeline.labs.energy.models import continuous
from pipeline.labs.energy.models.energy_based import EnergyBasedConfig, EnergyBasedModel
from pipeline.labs.energy.train.likelihood import LikelihoodCell

CHECKED = 2.0  # the least ratio of norms, without over with: fixed before any number was seen
PURPOSE = 5  # of the seeds' streams: not that of the points, nor of a start of the likelihood's


Norms = dict[str, Float[Tensor, " seed"]]


def norms(cell: LikelihoodCell, on_step: Callable[[], None]) -> Norms:
    """Train with the term and without it; return the patterns' mean norms and their ratio.

    ``norm_points`` is the mean norm of the training points, which is where the patterns start.
    """
    config = cell.config
    points = point_sets.draw(
        config.sets[cell.name], config.train_points, generators(config.seeds)
    ).to(config.training.torch_dtype)
    member = torch.arange(len(points))[:, None]
    means = {}
    for name, whole in (("norm_with", True), ("norm_without", False)):
        streams = generators(config.seeds, purpose=PURPOSE)
        shape = EnergyBasedConfig(d=2, patterns=config.patterns, beta=config.beta, origin=False)
        model = EnergyBasedModel(shape, streams).to(points.dtype)
        start = [torch.randperm(config.train_points, generator=g) for g in streams]
        index = torch.stack(start)[:, : config.patterns]
        model.start_at(points[member, index])
        train(
            model,
            partial(loss, points, member, whole),
            minibatches(config.train_points, config.training.batch_size, streams),
            config.training,
            on_step=on_step,
        )
        means[name] = model.X.detach().double().norm(dim=-1).mean(1)
    means["norm_ratio"] = means["norm_without"] / means["norm_with"]
    return means | {"norm_points": points.double().norm(dim=-1).mean(1)}


def loss(
    points: Float[Tensor, "seed point 2"],
    member: Tensor,
    whole: bool,
    model: EnergyBasedModel,
    batch: Tensor,
) -> Float[Tensor, " seed"]:
    """Return the mean of beta E + log Z over a batch of the points, or of beta E alone."""
    seen = points[member, batch]
    if whole:
        return model(seen).mean(-1)
    beta = model.config.beta
    return beta * continuous.energy(seen, model.X, beta).mean(-1)
