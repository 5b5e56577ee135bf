"""What is possible: predictors that know the physics' form but not its parameters."""

import torch
from jaxtyping import Float
from torch import Tensor


def dmd_propagator(
    window: Float[Tensor, "trajectory time 2"],
) -> Float[Tensor, "trajectory 2 2"]:
    """Fit one linear map K to each window, in context, by least squares.

    Dynamic mode decomposition (Schmid 2010): K minimises sum_t |X_{t+1} - K X_t|^2 over the window.
    Exact without noise, in float64 to rounding.
    """
    before, after = window[:, :-1], window[:, 1:]
    return torch.linalg.lstsq(before, after).solution.transpose(1, 2)


def dmd_rollout(
    window: Float[Tensor, "trajectory time 2"], steps: int
) -> Float[Tensor, "trajectory step 2"]:
    """Predict ``steps`` states after each window with its own fitted map."""
    k = dmd_propagator(window).transpose(1, 2)
    state, predicted = window[:, -1:], []
    for _ in range(steps):
        state = state @ k
        predicted.append(state)
    return torch.cat(predicted, dim=1)
