"""Levenberg-Marquardt least squares for models of a few thousand parameters.

With geodesic acceleration (Transtrum & Sethna 2012, arXiv:1201.5885): a long valley of the loss is
curved, and a step that bends with it goes three to four times as far for one Jacobian, which is
what costs. scipy.optimize.least_squares has none; a test holds the minimum against scipy's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from pipeline.bounds import Count
from pipeline.config import Section

Residual = Callable[[nn.Module, tuple[Tensor, ...]], Float[Tensor, " output"]]
OfOne = Callable[[Tensor, tuple[Tensor, ...]], Tensor]
SHRINK, GROW = 1 / 3, 4.0
LARGEST_DAMPING = 1e8
# The acceleration's probe, as a part of the step, and its largest size beside the step: both as in
# the paper. Beyond it the second order is no small correction, and is left out.
PROBE, LARGEST_BEND = 0.1, 0.75
BANDS = 4  # of J^T J, of which the lower triangle is enough


class LevenbergMarquardtConfig(Section):
    """Iterations (one Jacobian each), the first damping, and samples a piece of the Jacobian.

    ``chunk`` bounds what is held beside the Jacobian, which is samples x outputs x parameters.
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

    A step is v + a / 2 with (J^T J + damping diag(J^T J)) v = -J^T r (Marquardt 1963) and the same
    matrix times a = -J^T r_vv, r_vv the second derivative of r along v. One that does not lower the
    sum is refused and the damping raised; once none does, the rest of the iterations are idle.
    """
    problem = _Problem(model, residual, samples, config.chunk)
    theta = torch.cat([p.detach().flatten() for p in model.parameters()])
    at = _Point.at(problem, theta, config.damping)
    history = [at.value]
    for _ in range(config.iterations):
        if at.damping < LARGEST_DAMPING:
            at = _step(problem, at)
        history.append(at.value)
        if on_step is not None:
            on_step()
    with torch.no_grad():
        for parameter, part in zip(model.parameters(), problem.parts(at.theta), strict=True):
            parameter.copy_(part.view_as(parameter))
    return history


class _Residual(nn.Module):
    # functional_call replaces the parameters of a module's forward, so the residual becomes one.
    def __init__(self, model: nn.Module, residual: Residual):
        super().__init__()
        self.model, self.residual = model, residual

    def forward(self, sample: tuple[Tensor, ...]) -> Tensor:
        return self.residual(self.model, sample)


class _Problem:
    """The residuals of all samples and their Jacobian, as functions of one vector of parameters."""

    def __init__(
        self, model: nn.Module, residual: Residual, samples: tuple[Tensor, ...], chunk: int
    ):
        self.samples, self.chunk = samples, chunk
        names = [f"model.{name}" for name, _ in model.named_parameters()]
        shapes = [p.shape for p in model.parameters()]
        self.sizes = [shape.numel() for shape in shapes]
        called = _Residual(model, residual)

        def of_one(theta: Tensor, sample: tuple[Tensor, ...]) -> Tensor:
            parts = zip(names, self.parts(theta), shapes, strict=True)
            return functional_call(called, {n: p.view(s) for n, p, s in parts}, (sample,))

        self.of_one: OfOne = of_one

    def parts(self, theta: Tensor) -> tuple[Tensor, ...]:
        return theta.split(self.sizes)

    def residuals(self, theta: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([self._mapped(self.of_one, theta, part) for part in self._pieces()])

    def jacobian(self, theta: Tensor) -> Tensor:
        jacobian = theta.new_empty(0)
        row = 0
        for part in self._pieces():
            piece = self._mapped(jacrev(self.of_one), theta, part).view(-1, len(theta))
            if not row:
                outputs = len(piece) // len(part[0])
                jacobian = theta.new_empty(outputs * len(self.samples[0]), len(theta))
            jacobian[row : row + len(piece)] = piece
            row += len(piece)
        return jacobian

    def _mapped(self, function: OfOne, theta: Tensor, part: tuple[Tensor, ...]) -> Tensor:
        return vmap(function, (None, 0))(theta, part).flatten()

    def _pieces(self) -> Iterator[tuple[Tensor, ...]]:
        return zip(*(s.split(self.chunk) for s in self.samples), strict=True)


@dataclass(frozen=True)
class _Point:
    """Parameters, their residuals and mean square, and the damping to begin the next step with."""

    theta: Tensor
    residuals: Tensor
    value: float
    damping: float

    @classmethod
    def at(cls, problem: _Problem, theta: Tensor, damping: float) -> "_Point":
        residuals = problem.residuals(theta)
        value = float(residuals.square().sum()) / len(problem.samples[0])
        return cls(theta, residuals, value, damping)


def _step(problem: _Problem, start: _Point) -> _Point:
    """Return a lower point; the same one at the largest damping if there is none."""
    jacobian = problem.jacobian(start.theta)
    gram, slope = lower_gram(jacobian), jacobian.T @ start.residuals
    scale = gram.diagonal() + torch.finfo(gram.dtype).tiny
    damping = start.damping
    while damping < LARGEST_DAMPING:
        factor, failed = torch.linalg.cholesky_ex(gram + torch.diag(damping * scale))
        if not int(failed):
            velocity = -_solve(factor, slope)
            probed = problem.residuals(start.theta + PROBE * velocity) - start.residuals
            second = (2 / PROBE) * (probed / PROBE - jacobian @ velocity)
            bend = -0.5 * _solve(factor, jacobian.T @ second)
            is_small = 4 * _length(scale, bend) < LARGEST_BEND * _length(scale, velocity)
            step = velocity + bend if is_small else velocity
            trial = _Point.at(problem, start.theta + step, damping * SHRINK)
            if trial.value < start.value:
                return trial
        damping *= GROW
    return replace(start, damping=LARGEST_DAMPING)


def _solve(factor: Tensor, right: Tensor) -> Tensor:
    return torch.cholesky_solve(right[:, None], factor)[:, 0]


def _length(scale: Tensor, vector: Tensor) -> float:
    return float((scale * vector.square()).sum().sqrt())


def lower_gram(
    matrix: Float[Tensor, "row column"],
) -> Float[Tensor, "column column"]:
    """Return X^T X, right in the lower triangle, which is all that Cholesky's factor reads.

    Band by band: the products above the diagonal's bands, three of eight, are not made.
    """
    columns = matrix.shape[1]
    gram = matrix.new_zeros(columns, columns)
    edges = [columns * band // BANDS for band in range(BANDS + 1)]
    for low, high in pairwise(edges):
        gram[low:high, :high] = matrix[:, low:high].T @ matrix[:, :high]
    return gram
