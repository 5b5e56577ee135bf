import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from labs.energy.strategies import memories, reals
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.models import energy_based
from pipeline.labs.energy.models.energy_based import EnergyBasedConfig, EnergyBasedModel

BETAS = st.floats(0.2, 5)


@settings(max_examples=20, deadline=None)  # each sums 90,000 points of the plane
@given(patterns=reals(2, 3, 2), beta=BETAS)
def test_log_z_equals_its_quadrature(patterns, beta):
    exact = energy_based.log_partition(patterns, beta)
    integral = energy_based.log_partition_by_quadrature(patterns, beta, points=301)
    # What is demanded of it; converged quadrature leaves rounding of sums of 1e5 terms.
    assert (exact - integral).abs().max() < 1e-10


@given(memory=memories(), beta=BETAS)
def test_the_model_is_a_gaussian_mixture_with_tied_weights(memory, beta):
    patterns, points = memory
    weights = (beta * patterns[0].square().sum(-1) / 2).softmax(0).numpy()
    d = patterns.shape[2]
    density = sum(
        w * multivariate_normal(x, np.eye(d) / beta).pdf(points[0])
        for w, x in zip(weights, patterns[0].numpy(), strict=True)
    )
    assume(np.min(density) > 1e-300)  # scipy's densities, not their logarithms, are summed
    found = energy_based.negative_log_likelihood(points, patterns, beta)[0]
    # Exponents up to 5 * 6 * 36 round at 1e-13 each way.
    assert np.allclose(found.numpy(), -np.log(np.atleast_1d(density)), rtol=0, atol=1e-11)


@given(memory=memories(), beta=BETAS)
def test_the_closed_form_gradient_is_autograds(memory, beta):
    patterns, points = memory
    patterns = patterns.requires_grad_()
    loss = energy_based.negative_log_likelihood(points, patterns, beta).mean(-1).sum()
    (exact,) = torch.autograd.grad(loss, patterns)
    found = energy_based.gradient(points, patterns.detach(), beta)
    assert torch.allclose(found, exact, rtol=0, atol=1e-11)


def test_the_essays_printed_gradient_is_another_vector():
    patterns = torch.tensor([[[1.0, 0.0], [0.0, 2.0]]], dtype=torch.float64)
    points = torch.tensor([[[0.5, 0.5]]], dtype=torch.float64)
    right = energy_based.gradient(points, patterns, 1.0)
    printed = energy_based.essay_gradient(points, patterns, 1.0)
    # It puts every pattern's term on each: pattern 1 gets pattern 2's y, softmax(2 against 1/2) 2.
    share = torch.tensor([0.5, 2.0]).softmax(0)[1].item()
    assert (printed - right)[0, 0, 1].item() == pytest.approx(2 * share, abs=1e-6)


def test_a_shift_of_the_points_changes_the_loss_unless_the_origin_is_learned():
    points = torch.randn(1, 50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    shift = torch.tensor([5.0, 0.0], dtype=torch.float64)
    losses = {}
    for origin in (False, True):
        model = EnergyBasedModel(
            EnergyBasedConfig(d=2, patterns=4, beta=1.0, origin=origin), generators([0])
        ).double()
        for name, data in (("here", points), ("there", points + shift)):
            model.start_at(data[:, :4])
            losses[origin, name] = model(data).mean().item()
    assert losses[True, "there"] == pytest.approx(losses[True, "here"], abs=1e-12)
    assert abs(losses[False, "there"] - losses[False, "here"]) > 0.1


def test_a_member_of_the_model_equals_its_seed_alone():
    config = EnergyBasedConfig(d=2, patterns=4, beta=1.0, origin=True)
    together, alone = (
        EnergyBasedModel(config, generators([5, 6])),
        EnergyBasedModel(config, generators([6])),
    )
    assert torch.equal(together.X[1:], alone.X)


def test_bad_input_is_refused():
    patterns = torch.zeros(1, 2, 2)
    with pytest.raises(ValueError, match="beta must be > 0"):
        energy_based.log_partition(patterns, 0.0)
    with pytest.raises(ValueError, match="at least 2 patterns, got 1"):
        energy_based.log_partition(patterns[:, :1], 1.0)
    with pytest.raises(ValueError, match="patterns must be finite"):
        energy_based.log_partition(patterns + torch.inf, 1.0)
