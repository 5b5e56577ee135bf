"""E6: exact maximum-likelihood training by autograd, against mixtures fitted by EM."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from pipeline.bounds import Count, Members, Positive, refuse_large
from pipeline.config import Section, Seeds
from pipeline.core.training.ensemble import History, TrainingConfig, train
from pipeline.core.training.sampling import generators, minibatches
from pipeline.labs.energy.data import point_sets
from pipeline.labs.energy.models import mixture
from pipeline.labs.energy.models.energy_based import EnergyBasedConfig, EnergyBasedModel

ENERGY_MODELS = {"energy": False, "energy_origin": True}  # name: whether the origin is learned
START = 10  # purposes of the seeds' streams from here on: one for each restart


class LikelihoodConfig(Section):
    """``sets`` of points by name; every model stores ``patterns`` and starts at the same points.

    Each seed draws its own ``train_points`` and ``test_points``; of ``restarts`` starts the one of
    the best training likelihood counts, for every model alike. EM takes ``em_steps``.
    """

    seeds: Seeds
    sets: Annotated[Mapping[str, point_sets.PointSetConfig], Field(min_length=1)]
    train_points: Annotated[int, Field(ge=2, le=10**7)]
    test_points: Count
    patterns: Annotated[int, Field(ge=2, le=4096)]
    beta: Positive
    restarts: Members
    em_steps: Count
    quadrature_points: Annotated[int, Field(ge=50, le=10**4)]
    training: TrainingConfig

    @model_validator(mode="after")
    def _fits_into_memory(self) -> "LikelihoodConfig":
        seeds, patterns, grid = len(self.seeds), self.patterns, self.quadrature_points
        points = max(self.train_points, self.test_points)
        refuse_large("seeds * points * patterns", seeds * self.restarts, points, patterns)
        refuse_large("patterns * quadrature_points * quadrature_points", patterns, grid, grid)
        return self


@dataclass(frozen=True, kw_only=True)
class LikelihoodCell:
    """One point set and the settings."""

    name: str
    config: LikelihoodConfig


@dataclass(frozen=True)
class Fits:
    """What came of one point set: losses on test points, the energy models, and what they store.

    ``points`` are the training points; ``means`` the patterns (in the plane of the points) or
    component means.
    """

    losses: dict[str, Float[Tensor, " seed"]]
    models: dict[str, tuple[EnergyBasedModel, History]]
    points: Float[Tensor, "seed point 2"]
    means: dict[str, Float[Tensor, "seed pattern 2"]]


def fit_cell(cell: LikelihoodCell, on_step: Callable[[], None]) -> Fits:
    """Fit every model to one point set, all seeds and restarts as members."""
    config, points = cell.config, cell.config.sets[cell.name]
    seeds = len(config.seeds)
    train_points = point_sets.draw(points, config.train_points, generators(config.seeds))
    test_points = point_sets.draw(points, config.test_points, generators(config.seeds, purpose=1))
    data = tuple(x.repeat_interleave(config.restarts, 0) for x in (train_points, test_points))
    streams = [
        generators([seed], purpose=START + restart)[0]
        for seed in config.seeds
        for restart in range(config.restarts)
    ]
    drawn = [torch.randperm(config.train_points, generator=g)[: config.patterns] for g in streams]
    start = torch.stack([x[index] for x, index in zip(data[0], drawn, strict=True)])
    fits = Fits({}, {}, train_points, {})
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
        fits.means[name] = (chosen.X + chosen.b if origin else chosen.X).detach()
    fits.losses["em"], fits.means["em"] = _em(config, data, start)
    fits.losses["em_covariance"] = _sklearn(config, data, start)
    return fits


def _train(
    config: LikelihoodConfig, origin: bool, data: Tensor, start: Tensor,
    streams: Sequence[torch.Generator], on_step: Callable[[], None],
) -> tuple[EnergyBasedModel, History]:  # fmt: skip
    shape = EnergyBasedConfig(d=2, patterns=config.patterns, beta=config.beta, origin=origin)
    model = EnergyBasedModel(shape, streams).to(config.training.torch_dtype)
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


def _select(model: EnergyBasedModel, index: Tensor) -> EnergyBasedModel:
    chosen = EnergyBasedModel(model.config, [torch.Generator() for _ in index]).double()
    chosen.load_state_dict({name: value[index] for name, value in model.state_dict().items()})
    return chosen


def _em(config: LikelihoodConfig, data: tuple[Tensor, ...], start: Tensor) -> tuple[Tensor, Tensor]:
    fitted = mixture.fit(data[0], start, config.beta, config.em_steps)
    train_loss, test_loss = (
        fitted.negative_log_likelihood(x).mean(-1).view(len(config.seeds), -1) for x in data
    )
    best = train_loss.argmin(1, keepdim=True)
    index = torch.arange(len(best)) * config.restarts + best[:, 0]
    return test_loss.gather(1, best)[:, 0], fitted.means[index]


def _sklearn(config: LikelihoodConfig, data: tuple[Tensor, ...], start: Tensor) -> Tensor:
    # scikit-learn fits one data set at a time.
    losses = [
        mixture.sklearn_negative_log_likelihood(
            points.numpy(), unseen.numpy(), means.numpy(), config.beta, config.em_steps
        )
        for points, unseen, means in zip(*data, start, strict=True)
    ]
    by_seed = torch.tensor(losses, dtype=torch.float64).view(len(config.seeds), -1, 2)
    train_loss, test_loss = by_seed.unbind(-1)
    return test_loss.gather(1, train_loss.argmin(1, keepdim=True))[:, 0]
