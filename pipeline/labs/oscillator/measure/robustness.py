"""Robustness: to noise in the window that a model sees, to frequencies it was not trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import AfterValidator, Field, model_validator
from torch import Tensor

from pipeline.bounds import Age, Count, Damping, Frequency, NonNegative, Seed, refuse_large
from pipeline.config import Interval, Section, distinct, increasing, ordered
from pipeline.core.stats.intervals import Summary, summary
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.data.task import (
    advance,
    initial_in_box,
    refuse_decayed,
    trajectories,
)
from pipeline.labs.oscillator.measure.errors import rollout_error
from pipeline.labs.oscillator.models.oracles import Oracle, dmd_rollout, likely_rollout

Frequencies = Annotated[tuple[Frequency, Frequency], AfterValidator(increasing)]


class RobustnessConfig(Section):
    """Test conditions: noise at the training frequencies, and bands of frequencies without noise.

    ``search`` is the range of omega0 in which the likelihood's oracle looks.
    """

    noise: Annotated[tuple[NonNegative, ...], Field(min_length=1), AfterValidator(distinct)]
    omega0: Frequencies
    bands: Annotated[tuple[Frequencies, ...], Field(min_length=1), AfterValidator(distinct)]
    gamma: Damping
    age: Annotated[tuple[Age, Age], AfterValidator(ordered)]
    initial: Interval
    search: Frequencies
    window: Annotated[int, Field(ge=2, le=4096)]
    steps: Count
    trajectories: Count
    seed: Seed

    @model_validator(mode="after")
    def _underdamped(self) -> "RobustnessConfig":
        refuse_decayed(self.gamma * self.age[1])
        steps = self.window + self.steps
        refuse_large("trajectories * (window + steps) * 2", self.trajectories, steps, 2)
        lowest = min(low for low, _ in (self.omega0, *self.bands))
        if self.gamma >= lowest:
            raise ValueError(
                f"gamma must be < omega0 = {lowest:g} (under-damped), got {self.gamma:g}"
            )
        return self

    def noise_quantity(self, level: float) -> str:
        """Name the rollout error at a noise level, ``r50_0.01``."""
        return f"r{self.steps}_{level:g}"

    def band_quantity(self, band: tuple[float, float]) -> str:
        """Name the rollout error in a band of frequencies, ``r50_4_5``."""
        return f"r{self.steps}_{band[0]:g}_{band[1]:g}"


@dataclass(frozen=True)
class Condition:
    """One condition: each member's windows (own noise), and the true states after them."""

    experiment: str
    quantity: str
    window: Float[Tensor, "member trajectory window 2"]
    true: Float[Tensor, "trajectory step 2"]
    gamma: Float[Tensor, " trajectory"]


def conditions(config: RobustnessConfig, dt: float, members: int) -> list[Condition]:
    """Make all conditions; the noise of member k is its own whatever the number of members."""
    made = []
    for level in config.noise:
        states, gamma = _draw(config, dt, config.omega0, 0)
        window, true = states[:, : config.window], states[:, config.window :]
        streams = generators(range(members), purpose=1000)
        noise = torch.stack([torch.randn(window.shape, generator=g).double() for g in streams])
        name = config.noise_quantity(level)
        made.append(Condition("noise", name, window + level * noise, true, gamma))
    for purpose, band in enumerate(config.bands, start=1):
        states, gamma = _draw(config, dt, band, purpose)
        window, true = states[:, : config.window], states[:, config.window :]
        name = config.band_quantity(band)
        every = window.expand(members, -1, -1, -1)
        made.append(Condition("frequency", name, every, true, gamma))
    return made


def _draw(
    config: RobustnessConfig, dt: float, omega0: tuple[float, float], purpose: int
) -> tuple[Tensor, Tensor]:
    stream = generators([config.seed], purpose)[0]
    count = config.trajectories
    low, high = omega0
    w = low + (high - low) * torch.rand(count, generator=stream, dtype=torch.float64)
    gamma = torch.full_like(w, config.gamma)
    age = config.age[0] + (config.age[1] - config.age[0]) * torch.rand(
        count, generator=stream, dtype=torch.float64
    )
    initial = advance(initial_in_box(count, config.initial, stream), w, gamma, age)
    return trajectories(initial, w, gamma, dt, config.window + config.steps), gamma


def oracle_rollouts(
    oracle: Oracle, condition: Condition, config: RobustnessConfig, dt: float
) -> Float[Tensor, "member trajectory step 2"]:
    """Predict with an oracle from every member's windows."""
    members, count = condition.window.shape[:2]
    flat = condition.window.flatten(0, 1)
    if oracle == "dmd":
        rolled = dmd_rollout(flat, config.steps)
    else:
        gamma = condition.gamma.repeat(members)
        rolled = likely_rollout(flat, gamma, dt, config.search, config.steps)
    return rolled.view(members, count, config.steps, 2)


def robustness(
    rollouts: Mapping[tuple[str, str], Float[Tensor, "member trajectory step 2"]],
    tested: Sequence[Condition],
    steps: int,
) -> dict[str, dict[str, Summary]]:
    """Summarise the rollout errors of {(model, condition's quantity): rollouts} over members.

    Return them by experiment and model; the models in the order of the mapping.
    """
    models = dict.fromkeys(model for model, _ in rollouts)
    return {
        experiment: {
            model: summary(
                {
                    c.quantity: rollout_error(rollouts[model, c.quantity], c.true, steps)
                    for c in tested
                    if c.experiment == experiment
                }
            )
            for model in models
        }
        for experiment in dict.fromkeys(c.experiment for c in tested)
    }
