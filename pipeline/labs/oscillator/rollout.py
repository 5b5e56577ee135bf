"""Autoregressive rollouts: a model's predictions fed back to it."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Step = Callable[
    [Float[Tensor, "member batch window channel"]], Float[Tensor, "member batch channel"]
]


@torch.no_grad()
def rollout(
    step: Step, window: Float[Tensor, "member batch window channel"], steps: int
) -> Float[Tensor, "member batch step channel"]:
    """Predict ``steps`` states after the window; each prediction replaces the oldest state."""
    predicted = []
    for _ in range(steps):
        following = step(window)
        predicted.append(following)
        window = torch.cat([window[:, :, 1:], following[:, :, None]], dim=2)
    return torch.stack(predicted, dim=2)
