import pytest
import torch

from pipeline.core.training.sampling import generators
from pipeline.labs.energy.data import point_sets
from pipeline.labs.energy.data.point_sets import PointSetConfig
from pipeline.labs.energy.models import energy_based, mixture

CLUSTERS = PointSetConfig(shape="clusters", radius=6.0, noise=1.0, centre=(0.0, 0.0))


def test_no_step_of_em_lowers_the_likelihood():
    points = point_sets.draw(CLUSTERS, 200, generators([0, 1]))
    losses = []
    for steps in range(12):
        fitted = mixture.fit(points, points[:, :6], 1.0, steps)
        losses.append(fitted.negative_log_likelihood(points).mean(-1))
    fall = torch.stack(losses).diff(dim=0)
    assert bool((fall <= 1e-12).all())  # rounding of a mean of numbers of order 10
    assert bool((fall[0] < -1e-3).all())


def test_em_finds_the_weights_of_separate_clusters():
    points = point_sets.draw(CLUSTERS, 5000, generators([0]))
    centres = torch.tensor([[6.0, 0], [0, 6], [-6, 0], [0, -6], [0, 0]], dtype=torch.float64)
    fitted = mixture.fit(points, centres[None], 1.0, 50)
    expected = torch.arange(1, 6, dtype=torch.float64) / 15
    # Five standard deviations of a fraction of 5000 points.
    assert (fitted.log_weights[0].exp() - expected).abs().max() < 5 * 0.5 / 5000**0.5
    assert (fitted.means[0] - centres).norm(dim=-1).max() < 5 * 1 / (5000 / 15) ** 0.5


def test_the_energy_model_is_a_mixture_with_its_own_weights():
    patterns = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]], dtype=torch.float64)
    points = point_sets.draw(CLUSTERS, 20, generators([0]))
    tied = (patterns.square().sum(-1) / 2).log_softmax(-1)
    same = mixture.Mixture(patterns, tied, 1.0).negative_log_likelihood(points)
    found = energy_based.negative_log_likelihood(points, patterns, 1.0)
    # cdist squares distances up to 10: rounding at 1e-14 times a few.
    assert torch.allclose(found, same, rtol=0, atol=1e-11)


def test_sklearns_with_a_learned_covariance_fits_a_narrow_blob_better():
    blob = PointSetConfig(shape="ring", radius=0.01, noise=0.1, centre=(0.0, 0.0))
    points = point_sets.draw(blob, 300, generators([0]))
    own, other = mixture.sklearn_negative_log_likelihood(
        points[0].numpy(), points[0].numpy(), points[0, :2].numpy(), 1.0, 100
    )
    ours = mixture.fit(points, points[:, :2], 1.0, 100).negative_log_likelihood(points).mean()
    assert own == other
    # Covariance 0.01 for 1: better by about log 100 minus what the wide one gains, log 100 - 1.
    assert own < ours.item() - 2


def test_bad_input_is_refused():
    points = torch.zeros(1, 3, 2, dtype=torch.float64)
    with pytest.raises(ValueError, match="beta must be > 0"):
        mixture.fit(points, points, -1.0, 1)
    with pytest.raises(ValueError, match="at least 2 patterns"):
        mixture.fit(points, points[:, :1], 1.0, 1)
