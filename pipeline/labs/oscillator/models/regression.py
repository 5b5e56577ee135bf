"""O1's models: linear regression by the normal equation and by likelihood, with its bands."""

import math

import torch
from jaxtyping import Float
from scipy.stats import t as student
from torch import Tensor

from pipeline.core.nn.linear import normal_equation

Column = Float[Tensor, "draw sample"]
Design = Float[Tensor, "draw sample feature"]
Points = Float[Tensor, "draw point"]


def with_constant(*columns: Column) -> Design:
    """Stack a column of ones and the given features."""
    return torch.stack([torch.ones_like(columns[0]), *columns], dim=-1)


def fit(design: Design, y: Column) -> Float[Tensor, "draw feature"]:
    """Return the least-squares coefficients of every draw, by the normal equation."""
    return normal_equation(design, y[..., None])[..., 0]


def predict(design: Design, theta: Float[Tensor, "draw feature"]) -> Column:
    """Return the fitted values."""
    return (design @ theta[..., None])[..., 0]


def bands(
    design: Design, y: Column, at: Float[Tensor, "draw point feature"], confidence: float
) -> tuple[Points, Points, Points]:
    """Return the fit at new points and the half-widths of its confidence and prediction bands.

    The bands are y(x) +- t sqrt(s^2 h) and y(x) +- t sqrt(s^2 (1 + h)), h = x^T (X^T X)^-1 x, with
    s^2 the residual variance on n - k degrees of freedom and t Student's quantile (Draper & Smith,
    *Applied Regression Analysis*, 3.1).
    """
    theta = fit(design, y)
    freedom = design.shape[1] - design.shape[2]
    variance = (y - predict(design, theta)).square().sum(1, keepdim=True) / freedom
    inverse = torch.linalg.inv(design.mT @ design)
    leverage = ((at @ inverse) * at).sum(-1)
    quantile = float(student.ppf((1 + confidence) / 2, freedom))
    narrow = quantile * (variance * leverage).sqrt()
    return predict(at, theta), narrow, quantile * (variance * (1 + leverage)).sqrt()


def negative_log_likelihood(
    design: Design, y: Column, theta: Float[Tensor, "draw feature"], sigma: Float[Tensor, " draw"]
) -> Float[Tensor, " draw"]:
    """Return -log L of Gaussian errors, a mean over samples (post 1, the statistical model)."""
    squared = (y - predict(design, theta)).square().mean(1)
    return squared / (2 * sigma**2) + sigma.log() + 0.5 * math.log(2 * math.pi)


def maximum_likelihood(
    design: Design, y: Column
) -> tuple[Float[Tensor, "draw feature"], Float[Tensor, " draw"]]:
    """Minimise the likelihood's negative logarithm over coefficients and sigma, by L-BFGS.

    It knows nothing of least squares: that its optimum is the same is a finding, not a definition.
    """
    theta = torch.zeros(design.shape[0], design.shape[2], dtype=torch.float64, requires_grad=True)
    log_sigma = y.std(1).log().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [theta, log_sigma], max_iter=500, tolerance_grad=1e-12, tolerance_change=0.0,
        history_size=20, line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = negative_log_likelihood(design, y, theta, log_sigma.exp()).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return theta.detach(), log_sigma.detach().exp()
