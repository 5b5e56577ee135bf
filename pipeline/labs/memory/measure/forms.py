"""Forms of a curve that could be meant by "linear", "quadratic" or "two joined lines", and rivals.

A form is linear in its coefficients; what is not (a power, a scale, a breakpoint) is searched over
candidates. A form is judged by what it says of the sizes that it was not fitted to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Points = Float[Tensor, " point"]
POWERS = [round(0.1 * k, 1) for k in range(1, 51)]
SCALES = [0.25 * 1.25**k for k in range(20)]  # of exp(-x / scale), up to 17 sizes
FRACTIONS = [k / 40 for k in range(4, 37)]  # of the way through the sizes, for a breakpoint


@dataclass(frozen=True)
class Form:
    """A family of designs [point, coefficient], one for each candidate."""

    design: Callable[[Points, float], Tensor]
    candidates: Sequence[float] = (0.0,)

    def fitted(self, x: Points, y: Points) -> Callable[[Points], Points]:
        """Return the curve of least squares over all candidates."""
        best, least = self.candidates[0], float("inf")
        for candidate in self.candidates:
            residual = float((self._curve(x, y, candidate)(x) - y).square().sum())
            if residual < least:
                best, least = candidate, residual
        return self._curve(x, y, best)

    def _curve(self, x: Points, y: Points, candidate: float) -> Callable[[Points], Points]:
        coefficients = torch.linalg.lstsq(self.design(x, candidate), y[:, None]).solution
        return lambda at: (self.design(at, candidate) @ coefficients)[:, 0]


def _polynomial(degree: int) -> Form:
    return Form(lambda x, _: torch.stack([x**k for k in range(degree + 1)], 1))


def _joined(low: float, high: float) -> Form:
    def design(x: Points, at: float) -> Tensor:
        return torch.stack([torch.ones_like(x), (x - at).clamp(max=0), (x - at).clamp(min=0)], 1)

    return Form(design, [low + fraction * (high - low) for fraction in FRACTIONS])


def forms(x: Points) -> Mapping[str, Form]:
    """Return all forms by name, for curves over the sizes ``x``."""
    return {
        "line": _polynomial(1),
        "quadratic": _polynomial(2),
        "cubic": _polynomial(3),
        "power": Form(lambda x, k: x[:, None] ** k, POWERS),
        "shifted_power": Form(lambda x, k: torch.stack([torch.ones_like(x), x**k], 1), POWERS),
        "saturating": Form(
            lambda x, c: torch.stack([torch.ones_like(x), (-x / c).exp()], 1), SCALES
        ),
        "joined_lines": _joined(float(x.min()), float(x.max())),
    }


def left_out_error(form: Form, x: Points, y: Points) -> float:
    """Return the root mean square error at each size between the ends, when it is left out.

    The ends stay in: a form is asked to bridge a gap, not to go on beyond the data.
    """
    missed = []
    for size in x.unique()[1:-1]:
        kept = x != size
        missed.append(form.fitted(x[kept], y[kept])(x[~kept]) - y[~kept])
    return float(torch.cat(missed).square().mean().sqrt())
