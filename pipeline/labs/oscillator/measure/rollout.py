"""Rollouts: a model's predictions fed back to it; and the network of time's, at every time."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.core.nn.layers import MemberModule
from pipeline.core.nn.mlp import MLP

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


@dataclass(frozen=True)
class RolloutCell:
    """One model to roll out from common windows, or from windows of each member."""

    model: MemberModule
    window: Float[Tensor, "*member trajectory window 2"]
    steps: int

    @property
    def cost(self) -> float:
        """Its products, about: each of the window's numbers meets each parameter at every step."""
        return float(self.steps * self.window.numel() * self.model.parameters_per_member)


def predict_rollouts(
    model: MemberModule, window: Float[Tensor, "*member trajectory window 2"], steps: int
) -> Float[Tensor, "member trajectory step 2"]:
    """Roll every member out, from common or its own windows, in its own dtype; float64 results."""
    dtype = next(model.parameters()).dtype
    start = window.to(dtype).expand(model.members, -1, -1, -1)
    return rollout(lambda x: model(x, last_only=True)[:, :, -1], start, steps).double()


def roll_out(cell: RolloutCell) -> Float[Tensor, "member trajectory step 2"]:
    """Roll one cell out."""
    return predict_rollouts(cell.model, cell.window, cell.steps)


@torch.no_grad()
def time_rollouts(
    model: MLP, test: Float[Tensor, "trajectory step 2"], dt: float
) -> Float[Tensor, "member trajectory later 2"]:
    """Predict every later state of the test trajectories from their first, in float64."""
    count, steps, _ = test.shape
    dtype = next(model.parameters()).dtype
    t = dt * torch.arange(1, steps, dtype=torch.float64)
    triples = torch.cat(
        [test[:, :1].expand(-1, steps - 1, -1), t[None, :, None].expand(count, -1, -1)], dim=-1
    )
    flat = triples.reshape(1, -1, 3).to(dtype).expand(model.members, -1, -1)
    return model(flat).double().view(model.members, count, steps - 1, 2)
