"""E6's baselines: Gaussian mixtures with free weights, fitted by expectation-maximisation."""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor

from pipeline.labs.energy.data.patterns import require_beta, require_patterns


@dataclass(frozen=True)
class Mixture:
    """Gaussians of covariance I / beta around the means, with free weights."""

    means: Float[Tensor, "member pattern d"]
    log_weights: Float[Tensor, "member pattern"]
    beta: float

    def log_joint(self, points: Float[Tensor, "member point d"]) -> Tensor:
        """Return log p(point, component), [member, point, pattern]."""
        d = points.shape[-1]
        square = torch.cdist(points, self.means).square()
        gaussian = -self.beta * square / 2 + d / 2 * np.log(self.beta / (2 * np.pi))
        return gaussian + self.log_weights[:, None]

    def negative_log_likelihood(
        self, points: Float[Tensor, "member point d"]
    ) -> Float[Tensor, "member point"]:
        """Return -log p of each point, in nats."""
        return -self.log_joint(points).logsumexp(-1)


def fit(
    points: Float[Tensor, "member point d"],
    start: Float[Tensor, "member pattern d"],
    beta: float,
    steps: int,
) -> Mixture:
    """Fit means and weights by EM from equal weights; no step lowers the likelihood.

    Dempster, Laird and Rubin 1977, with the covariance held at I / beta.
    """
    require_beta(beta)
    require_patterns(start)
    count = start.shape[1]
    mixture = Mixture(start, torch.full(start.shape[:2], -np.log(count), dtype=start.dtype), beta)
    for _ in range(steps):
        share = mixture.log_joint(points).softmax(-1)
        mass = share.sum(1)
        # An empty component keeps its place: its mass is below rounding, so it changes nothing.
        means = (share.mT @ points) / mass.clamp(min=1e-300)[..., None]
        mixture = Mixture(means, mass.clamp(min=1e-300).log() - np.log(points.shape[1]), beta)
    return mixture


def sklearn_negative_log_likelihood(
    train: NDArray[np.float64],
    test: NDArray[np.float64],
    start: NDArray[np.float64],
    beta: float,
    steps: int,
) -> tuple[float, float]:
    """Fit scikit-learn's mixture with one covariance for all components, learned from I / beta on.

    Returns its mean -log p on the points it was fitted to, and on others.
    """
    mixture = GaussianMixture(
        len(start), covariance_type="tied", means_init=start, max_iter=steps,
        precisions_init=beta * np.eye(start.shape[1]), init_params="random_from_data",
        random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        # Our EM is cut at the same number of steps without a word.
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit(train)
    return -float(mixture.score(train)), -float(mixture.score(test))
