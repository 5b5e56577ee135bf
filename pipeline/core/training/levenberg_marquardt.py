"""Levenberg-Marquardt least squares for models of a few thousand parameters.

Why not scipy.optimize.least_squares: it wants the whole Jacobian (here some 10^4 residuals by 10^3
parameters), of which the step needs only J^T J, summed over pieces. A test holds the minimum
against scipy's.
"""

from collections.abc import Callable
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from pipeline.bounds import Count
from pipeline.config import Section

Residual = Callable[[nn.Module, tuple[Tensor, ...]], Float[Tensor, " output"]]
SHRINK, GROW = 1 / 3, 4.0
LARGEST_DAMPING = 1e8


class LevenbergMarquardtConfig(Section):
    """Iterations (one Jacobian each), the first damping, and samples a piece of the Jacobian.

    ``chunk`` bounds memory: chunk x outputs x parameters numbers are held at once.
    """

    iterations: Count
    damping: Annotated[float, Field(ge=1e-12, le=LARGEST_DAMPING)]
    chunk: Count


def minimise(
    model: nn.Module,
    residual: Residual,
    samples: tuple[Float[Tensor, "sample ..."], ...],
    config: LevenbergMarquardtConfig,
    on_step: Callable[[], None] | None = None,
) -> list[float]:
    """Minimise the mean over samples of |residual|^2 in place; return its value at every iteration.

    Solves (J^T J + damping diag(J^T J)) step = -J^T r (Marquardt 1963); a step that does not lower
    the sum is refused and the damping raised. J is never held whole.
    """
    names = [name for name, _ in model.named_parameters()]
    shapes = [p.shape for p in model.parameters()]
    sizes = [shape.numel() for shape in shapes]

    def of_one(theta: Tensor, sample: tuple[Tensor, ...]) -> Tensor:
        parts = theta.split(sizes)
        state = {n: p.view(s) for n, p, s in zip(names, parts, shapes, strict=True)}
        return functional_call(_Residual(model, residual), _prefixed(state), (sample,))

    def value(theta: Tensor) -> float:
        parts = zip(*(s.split(config.chunk) for s in samples), strict=True)
        with torch.no_grad():
            found = [vmap(of_one, (None, 0))(theta, part).square().sum() for part in parts]
        return float(torch.stack(found).sum()) / len(samples[0])

    theta = torch.cat([p.detach().flatten() for p in model.parameters()])
    damping, current = config.damping, value(theta)
    history = [current]
    for _ in range(config.iterations):
        gram, slope = _normal(of_one, theta, samples, config.chunk)
        while damping < LARGEST_DAMPING:
            scaled = gram + damping * torch.diag(gram.diagonal() + torch.finfo(gram.dtype).tiny)
            factor, failed = torch.linalg.cholesky_ex(scaled)
            trial = theta - torch.cholesky_solve(slope[:, None], factor)[:, 0]
            attained = value(trial) if not int(failed) else float("inf")
            if attained < current:
                theta, current, damping = trial, attained, damping * SHRINK
                break
            damping *= GROW
        history.append(current)
        if on_step is not None:
            on_step()
    with torch.no_grad():
        for parameter, part in zip(model.parameters(), theta.split(sizes), strict=True):
            parameter.copy_(part.view_as(parameter))
    return history


class _Residual(nn.Module):
    # functional_call replaces the parameters of a module's forward, so the residual becomes one.
    def __init__(self, model: nn.Module, residual: Residual):
        super().__init__()
        self.model, self.residual = model, residual

    def forward(self, sample: tuple[Tensor, ...]) -> Tensor:
        return self.residual(self.model, sample)


def _prefixed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"model.{name}": value for name, value in state.items()}


def _normal(
    of_one: Callable[[Tensor, tuple[Tensor, ...]], Tensor],
    theta: Tensor,
    samples: tuple[Tensor, ...],
    chunk: int,
) -> tuple[Tensor, Tensor]:
    """Return J^T J and J^T r, summed over pieces of the samples."""

    def twice(theta: Tensor, sample: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        found = of_one(theta, sample)
        return found, found

    both = vmap(jacrev(twice, has_aux=True), (None, 0))
    gram = theta.new_zeros(len(theta), len(theta))
    slope = torch.zeros_like(theta)
    for part in zip(*(s.split(chunk) for s in samples), strict=True):
        jacobian, found = both(theta, part)
        flat = jacobian.reshape(-1, len(theta))
        gram.addmm_(flat.T, flat)
        slope += flat.T @ found.reshape(-1)
    return gram, slope
