"""Error measures of forecasts and rollouts.

One-step errors mislead: a fixed linear filter of noise-free windows reaches 1e-9 in one step and
still fails the rollout. So rollouts are reported beside them.
"""

import torch
from jaxtyping import Float
from torch import Tensor

Rollouts = Float[Tensor, "member trajectory step 2"]
Truth = Float[Tensor, "trajectory step 2"]
CEILING = 1e6  # a rollout that ran away, to infinity or to NaN, counts with this relative error


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


def valid_prediction_time(
    predicted: Rollouts, true: Float[Tensor, "*member trajectory step 2"], threshold: float
) -> Float[Tensor, " member"]:
    """Return the median over trajectories of the steps for which a prediction is valid.

    It is until its distance from ``true`` exceeds ``threshold`` times the rms of ``true`` over the
    whole rollout; one that never does counts with the rollout's length.
    """
    squares = true.square().sum(-1)
    # Of the finite states: infinity times the threshold would call every distance small.
    scale = squares.where(squares.isfinite(), torch.nan).nanmean(-1, keepdim=True).sqrt()
    # Negated, so that a distance that is NaN counts as beyond.
    beyond = ~((predicted - true).norm(dim=-1) <= threshold * scale)
    steps = beyond.shape[-1]
    first = torch.where(beyond.any(-1), beyond.int().argmax(-1), steps)
    return first.double().median(-1).values


def r2_score(
    predicted: Float[Tensor, "member sample 2"], true: Float[Tensor, "member sample 2"]
) -> Float[Tensor, " member"]:
    """Return R^2 = 1 - residual / total sum of squares over samples and channels."""
    residual = (predicted - true).square().sum((1, 2))
    total = (true - true.mean(1, keepdim=True)).square().sum((1, 2))
    return 1 - residual / total
