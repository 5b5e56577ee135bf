"""E6: exact maximum-likelihood training by autograd, against mixtures fitted by EM."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pipeline.config import Section, Seeds
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.sampling import generators, minibatches
from pipeline.labs.energy import likelihood, mixture, pointsets
from pipeline.labs.energy.likelihood import MemoryModel, MemoryModelConfig

ENERGY_MODELS = {"energy": False, "energy_origin": True}  # name: whether the origin is learned
START = 10  # purposes of the seeds' streams from here on: one for each restart


class LikelihoodConfig(Section):
    """``sets`` of points by name; every model stores ``patterns`` and starts at the same points.

    Each seed draws its own ``train_points`` and ``test_points``; of ``restarts`` starts the one of
    the best training likelihood counts, for every model alike. EM takes ``em_steps``.
    """

    seeds: Seeds
    sets: Annotated[Mapping[str, pointsets.PointSetConfig], Field(min_length=1)]
    train_points: Annotated[int, Field(ge=2)]
    test_points: Annotated[int, Field(ge=1)]
    patterns: Annotated[int, Field(ge=2)]
    beta: Annotated[float, Field(gt=0)]
    restarts: Annotated[int, Field(ge=1)]
    em_steps: Annotated[int, Field(ge=1)]
    quadrature_points: Annotated[int, Field(ge=50)]
    training: TrainingConfig


@dataclass(frozen=True, kw_only=True)
class LikelihoodCell:
    """One point set and the settings."""

    name: str
    config: LikelihoodConfig


@dataclass(frozen=True)
class Fits:
    """What came of one point set: losses on test points, the energy models, and an example.

    ``means`` are the first seed's patterns (in the plane of the points) or component means.
    """

    losses: dict[str, Float[Tensor, " seed"]]
    models: dict[str, tuple[MemoryModel, History]]
    points: Float[Tensor, "point 2"]
    means: dict[str, Float[Tensor, "pattern 2"]]


def fit_cell(cell: LikelihoodCell, on_step: Callable[[], None]) -> Fits:
    """Fit every model to one point set, all seeds and restarts as members."""
    config, points = cell.config, cell.config.sets[cell.name]
    seeds = len(config.seeds)
    own = pointsets.draw(points, config.train_points, generators(config.seeds))
    other = pointsets.draw(points, config.test_points, generators(config.seeds, purpose=1))
    data = own.repeat_interleave(config.restarts, 0), other.repeat_interleave(config.restarts, 0)
    streams = [
        generators([seed], purpose=START + restart)[0]
        for seed in config.seeds
        for restart in range(config.restarts)
    ]
    drawn = [torch.randperm(config.train_points, generator=g)[: config.patterns] for g in streams]
    start = torch.stack([x[index] for x, index in zip(data[0], drawn, strict=True)])
    fits = Fits({}, {}, own[0], {})
    for name, origin in ENERGY_MODELS.items():
        model, history = _train(config, origin, data[0], start, streams, on_step)
        with torch.no_grad():
            losses = [model(x).mean(-1).view(seeds, -1) for x in data]
        best = losses[0].argmin(1)
        index = torch.arange(seeds) * config.restarts + best
        chosen = _select(model, index)
        fits.models[name] = (
            chosen,
            History(history.steps, {key: v[:, index] for key, v in history.values.items()}),
        )
        fits.losses[name] = losses[1].gather(1, best[:, None])[:, 0]
        offset = chosen.b[0] if origin else torch.zeros(1, 2)
        fits.means[name] = (chosen.X[0] + offset).detach()
    fits.losses["em"], fits.means["em"] = _em(config, data, start)
    fits.losses["em_covariance"] = _peer(config, data, start)
    return fits


def _train(
    config: LikelihoodConfig, origin: bool, data: Tensor, start: Tensor,
    streams: Sequence[torch.Generator], on_step: Callable[[], None],
) -> tuple[MemoryModel, History]:  # fmt: skip
    shape = MemoryModelConfig(d=2, patterns=config.patterns, beta=config.beta, origin=origin)
    model = MemoryModel(shape, streams).to(config.training.torch_dtype)
    model.start_at(start)
    data = data.to(config.training.torch_dtype)
    member = torch.arange(len(data))[:, None]
    history = train(
        model,
        lambda model, index: model(data[member, index]).mean(-1),
        minibatches(config.train_points, config.training.batch_size, streams),
        config.training,
        on_step=on_step,
    )
    return model.double(), history


def _select(model: MemoryModel, index: Tensor) -> MemoryModel:
    chosen = MemoryModel(model.config, [torch.Generator() for _ in index]).double()
    chosen.load_state_dict({name: value[index] for name, value in model.state_dict().items()})
    return chosen


def _em(
    config: LikelihoodConfig, data: tuple[Tensor, Tensor], start: Tensor
) -> tuple[Tensor, Tensor]:
    fitted = mixture.fit(data[0], start, config.beta, config.em_steps)
    own, other = (
        fitted.negative_log_likelihood(x).mean(-1).view(len(config.seeds), -1) for x in data
    )
    best = own.argmin(1, keepdim=True)
    return other.gather(1, best)[:, 0], fitted.means[int(best[0])]


def _peer(config: LikelihoodConfig, data: tuple[Tensor, Tensor], start: Tensor) -> Tensor:
    # scikit-learn fits one data set at a time.
    found = [
        mixture.peer_negative_log_likelihood(
            own.numpy(), other.numpy(), first.numpy(), config.beta, config.em_steps
        )
        for own, other, first in zip(*data, start, strict=True)
    ]
    own, other = torch.tensor(found, dtype=torch.float64).view(len(config.seeds), -1, 2).unbind(-1)
    return other.gather(1, own.argmin(1, keepdim=True))[:, 0]


def identities(config: LikelihoodConfig) -> dict[str, Float[Tensor, " seed"]]:
    """Return how far the closed forms are from autograd and quadrature, at random patterns.

    ``log_z_difference`` to the trapezoidal rule; ``gradient_difference`` and ``essay_difference``
    of the closed form and of the essay's printed form to autograd, relative to its norm.
    """
    streams = generators(config.seeds, purpose=3)
    normal = [torch.randn(config.patterns, 2, generator=g, dtype=torch.float64) for g in streams]
    patterns = torch.stack(normal).requires_grad_()
    points = pointsets.draw(next(iter(config.sets.values())), config.train_points, streams)
    nll = likelihood.negative_log_likelihood(points, patterns, config.beta)
    (exact,) = torch.autograd.grad(nll.mean(-1).sum(), patterns)
    with torch.no_grad():
        log_z = likelihood.log_partition(patterns, config.beta)
        integral = likelihood.log_partition_by_quadrature(
            patterns, config.beta, points=config.quadrature_points
        )
        forms = (likelihood.gradient, likelihood.essay_gradient)
        differences = [
            (form(points, patterns, config.beta) - exact).norm(dim=(1, 2)) / exact.norm(dim=(1, 2))
            for form in forms
        ]
    return {
        "log_z_difference": (log_z - integral).abs(),
        "gradient_difference": differences[0],
        "essay_difference": differences[1],
    }
