"""Error measures of forecasts and rollouts.

One-step errors mislead: a fixed linear filter of noise-free windows reaches 1e-9 in one step and
still fails the rollout. So rollouts are reported beside them.
"""

from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import AfterValidator, Field
from torch import Tensor

from pipeline.config import Section, distinct
from pipeline.core.nn.layers import MemberModule
from pipeline.labs.oscillator.rollout import rollout

Rollouts = Float[Tensor, "member trajectory step 2"]
Truth = Float[Tensor, "trajectory step 2"]
CEILING = 1e6  # a rollout that ran away, to infinity or to NaN, counts with this relative error


class MeasureConfig(Section):
    """How far rollouts are compared, and when two of them have parted."""

    horizons: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1), AfterValidator(distinct)
    ]
    parting: Annotated[float, Field(gt=0)]

    def require(self, steps: int, name: str) -> None:
        """Raise ValueError if a horizon lies beyond the steps of the test trajectories."""
        if max(self.horizons) > steps:
            raise ValueError(
                f"oscillator.measure.horizons must be <= {name} = {steps}, got {max(self.horizons)}"
            )


def predict_rollouts(
    model: MemberModule, window: Float[Tensor, "*member trajectory window 2"], steps: int
) -> Rollouts:
    """Roll every member out, from common or its own windows, in its own dtype; float64 results."""
    dtype = next(model.parameters()).dtype
    start = window.to(dtype).expand(model.members, -1, -1, -1)
    return rollout(lambda x: model(x, last_only=True)[:, :, -1], start, steps).double()


def state_relative_error(
    predicted: Rollouts, true: Truth
) -> Float[Tensor, "member trajectory step"]:
    """Return |predicted - true| / |true| of the states at every step, at most CEILING."""
    return _capped((predicted - true).norm(dim=-1) / true.norm(dim=-1))


def _capped(error: Tensor) -> Tensor:
    return error.nan_to_num(nan=CEILING).clamp(max=CEILING)


def rollout_error(
    predicted: Rollouts, true: Float[Tensor, "*member trajectory step 2"], steps: int
) -> Float[Tensor, " member"]:
    """Return the median over trajectories of rms(error) / rms(true) over the first ``steps``.

    A trajectory counts with at most CEILING.
    """
    error = (predicted - true)[:, :, :steps].square().mean((-1, -2)).sqrt()
    scale = true[..., :steps, :].square().mean((-1, -2)).sqrt()
    return _capped(error / scale).median(-1).values


def divergence_horizon(
    predicted: Rollouts, true: Float[Tensor, "*member trajectory step 2"], threshold: float
) -> Float[Tensor, " member"]:
    """Return the median over trajectories of the steps until two rollouts part.

    They part where their distance exceeds ``threshold`` times the rms of ``true`` over the whole
    rollout; a pair that never does counts with the rollout's length.
    """
    squares = true.square().sum(-1)
    # Of the finite states: infinity times the threshold would call every distance small.
    scale = squares.where(squares.isfinite(), torch.nan).nanmean(-1, keepdim=True).sqrt()
    # Negated, so that a distance that is NaN counts as apart.
    apart = ~((predicted - true).norm(dim=-1) <= threshold * scale)
    steps = apart.shape[-1]
    first = torch.where(apart.any(-1), apart.int().argmax(-1), steps)
    return first.double().median(-1).values


def determination(
    predicted: Float[Tensor, "member sample 2"], true: Float[Tensor, "member sample 2"]
) -> Float[Tensor, " member"]:
    """Return R^2 = 1 - residual / total sum of squares over samples and channels."""
    residual = (predicted - true).square().sum((1, 2))
    total = (true - true.mean(1, keepdim=True)).square().sum((1, 2))
    return 1 - residual / total


def forecast_quantities(
    predicted: Rollouts, true: Truth, config: MeasureConfig
) -> dict[str, Float[Tensor, " member"]]:
    """Return ``one_step`` (median |error| / |state|), ``r50``-like errors, and ``horizon``.

    ``horizon`` is the number of steps until the rollout parts from the true trajectory.
    """
    quantities = {"one_step": state_relative_error(predicted, true)[:, :, 0].median(1).values}
    for steps in config.horizons:
        quantities[f"r{steps}"] = rollout_error(predicted, true, steps)
    quantities["horizon"] = divergence_horizon(predicted, true, config.parting)
    return quantities


def surrogate_quantities(
    surrogate: Rollouts,
    model: Rollouts,
    last: Float[Tensor, "trajectory 2"],
    config: MeasureConfig,
) -> dict[str, Float[Tensor, " member"]]:
    """Say how well a surrogate stands for its model, member by member.

    ``r2`` of the one-step outputs is near one for any smooth forecaster, as the next state is close
    to the last one; ``r2_increment``, of output minus last state, is the stricter number.
    ``divergence_horizon`` counts the steps until their rollouts part.
    """
    ours, theirs = surrogate[:, :, 0], model[:, :, 0]
    return {
        "r2": determination(ours, theirs),
        "r2_increment": determination(ours - last, theirs - last),
        "divergence_horizon": divergence_horizon(surrogate, model, config.parting),
    }
