"""Linear regression: least squares by the normal equation, and the linear model over a window."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.bounds import Size
from pipeline.config import Section
from pipeline.core.nn.layers import MemberLinear, MemberModule

ROUNDING = 1e-14  # relative eigenvalues of X^T X below this are rounding errors of float64


def normal_equation(
    features: Float[Tensor, "*draw sample feature"],
    targets: Float[Tensor, "*draw sample output"],
    cutoff: float = ROUNDING,
) -> Float[Tensor, "*draw feature output"]:
    """Return the least-squares coefficients, (X^T X)^+ X^T Y (study, post 1), in float64.

    Directions of X^T X with a relative eigenvalue below ``cutoff`` get coefficient zero: collinear
    features give the solution of least norm, not amplified rounding. A larger cutoff regularises.
    """
    x, y = features.double(), targets.double()
    values, vectors = torch.linalg.eigh(x.mT @ x)
    kept = values > cutoff * values[..., -1:]
    inverse = torch.where(kept, 1 / values, torch.zeros_like(values))
    return vectors @ (inverse[..., None] * (vectors.mT @ (x.mT @ y)))


class LinearWindowConfig(Section):
    """A linear map of a window of states, with a constant (study, post 2, eq. 2)."""

    window: Size
    d_in: Size
    d_out: Size


class LinearWindow(MemberModule):
    """X_{T+1} = b + sum_t beta_t X_t, one matrix beta_t for each of the window's steps.

    ``forward`` maps [member, batch, window, d_in] to [member, batch, 1, d_out], as a transformer
    with ``last_only``.
    """

    Config = LinearWindowConfig

    def __init__(self, config: LinearWindowConfig, generators: Sequence[torch.Generator]):
        super().__init__(config, generators)
        self.map = MemberLinear(config.window * config.d_in, config.d_out, generators, bias=True)

    def forward(
        self, x: Float[Tensor, "member batch window d_in"], *, last_only: bool = True
    ) -> Float[Tensor, "member batch 1 d_out"]:
        """Predict the state after the window; ValueError if asked for every position."""
        if not last_only:
            raise ValueError("a linear map of a window predicts its last position only")
        return self.map(x.flatten(2))[:, :, None]


def fit_linear_window(
    windows: Float[Tensor, "sample window d_in"],
    targets: Float[Tensor, "member sample d_out"],
    cutoff: float = ROUNDING,
) -> LinearWindow:
    """Fit one member to each set of targets of the same windows, by the normal equation."""
    members, samples, d_out = targets.shape
    config = LinearWindowConfig(window=windows.shape[1], d_in=windows.shape[2], d_out=d_out)
    constant = torch.ones(samples, 1, dtype=torch.float64)
    features = torch.cat([windows.double().flatten(1), constant], dim=1)
    # One factorisation serves all members: their targets stand side by side as outputs.
    joined = normal_equation(features, targets.transpose(0, 1).flatten(1), cutoff)
    beta = joined.view(-1, members, d_out).transpose(0, 1)
    model = LinearWindow(config, [torch.Generator() for _ in range(members)]).double()
    with torch.no_grad():
        model.map.W.copy_(beta[:, :-1])
        assert model.map.b is not None
        model.map.b.copy_(beta[:, -1])
    return model
