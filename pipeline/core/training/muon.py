"""Muon for stacked matrices, and several optimisers that step together.

Why not torch.optim.Muon: it takes two-dimensional parameters only and computes in bfloat16. Here
every parameter is [member, rows, columns], and each member's matrix is orthogonalised alone, in the
parameter's own precision.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pipeline.bounds import Rate
from pipeline.config import Section

# Quintic Newton-Schulz iteration of Jordan et al. 2024, "Muon": steep at zero, not exact at one.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class MuonConfig(Section):
    """The learning rate and momentum of Muon; no weight decay."""

    learning_rate: Rate
    momentum: Annotated[float, Field(ge=0, lt=1)]


def orthogonalise(
    matrices: Float[Tensor, "member rows columns"],
) -> Float[Tensor, "member rows columns"]:
    """Replace each matrix's singular values by values near one (about 0.7 to 1.2)."""
    a, b, c = COEFFICIENTS
    wide = matrices.shape[1] <= matrices.shape[2]
    x = matrices if wide else matrices.transpose(1, 2)
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide else x.transpose(1, 2)


class Muon(torch.optim.Optimizer):
    """Momentum orthogonalised by Newton-Schulz iteration (Jordan et al. 2024), member by member.

    The step of a rows x columns matrix is scaled by sqrt(max(1, rows / columns)), as in torch.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Take one step; a closure is not used."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for shape, parameters in by_shape.items():
                update = orthogonalise(self._momenta(parameters, group["momentum"]))
                scale = max(1.0, shape[1] / shape[2]) ** 0.5
                steps = update.split(shape[0])
                torch._foreach_add_(parameters, steps, alpha=-group["lr"] * scale)

    def _momenta(
        self, parameters: Sequence[Tensor], momentum: float
    ) -> Float[Tensor, "matrix rows columns"]:
        """Return what is to be orthogonalised of all parameters of one shape, end to end.

        A small matrix's iteration is bound by the number of calls: all go through it together.
        """
        looked_ahead = []
        for parameter in parameters:
            gradient, state = parameter.grad, self.state[parameter]
            assert gradient is not None
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            velocity = state["momentum"].lerp_(gradient, 1 - momentum)
            looked_ahead.append(gradient.lerp(velocity, momentum))
        return torch.cat(looked_ahead)


class CombinedOptimizer:
    """Several optimisers of disjoint parameters, stepped and scheduled as one."""

    def __init__(self, optimizers: Sequence[torch.optim.Optimizer]):
        self.optimizers = optimizers
        self.param_groups = [group for each in optimizers for group in each.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear all gradients."""
        for each in self.optimizers:
            each.zero_grad(set_to_none=set_to_none)

    def step(self) -> None:
        """Step all."""
        for each in self.optimizers:
            each.step()
