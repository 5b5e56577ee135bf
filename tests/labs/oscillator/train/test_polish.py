import pytest
import torch

from labs.oscillator.test_recipe import DATA, recipe
from pipeline.core.training.levenberg_marquardt import LevenbergMarquardtConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.equivariant import Equivariant
from pipeline.labs.oscillator.polish import PolishCell, PolishConfig, polish, residual
from pipeline.labs.oscillator.recipe import weighted_error, weights

STATES, WEIGHT = DATA["train"]["states"], weights(DATA["train"], "energy")


def rough():
    return Equivariant(recipe().model, generators([0]))  # float32, as trained


def config(samples=64, iterations=4, chunk=64):
    optimizer = LevenbergMarquardtConfig(iterations=iterations, damping=1e-3, chunk=chunk)
    return PolishConfig(model="small", samples=samples, optimizer=optimizer)


def loss(model, count=64):
    batch = (STATES[None, :count], WEIGHT[None, :count])
    return float(weighted_error(model.double(), batch).detach())


def test_it_lowers_the_recipe_s_own_loss_to_the_number_it_tells():
    before = loss(rough())
    model, told = polish(PolishCell(rough(), DATA["train"], config()))
    # The same sum in another order, of a few hundred roundings.
    assert told == pytest.approx(loss(model), rel=1e-12)
    assert told < before / 2
    assert {p.dtype for p in model.parameters()} == {torch.float64}


def test_the_mean_of_squared_residuals_is_that_loss():
    model = rough().double()
    residuals = torch.stack([residual(model, pair) for pair in zip(STATES, WEIGHT, strict=True)])
    found = float(residuals.square().sum(1).mean().detach())
    assert found == pytest.approx(loss(model), rel=1e-12)


def test_only_the_first_windows_count():
    model, told = polish(PolishCell(rough(), DATA["train"], config(samples=5, iterations=1)))
    assert told == pytest.approx(loss(model, 5), rel=1e-12)
    cut = {name: value[:5] for name, value in DATA["train"].items()}
    again, _ = polish(PolishCell(rough(), cut, config(samples=5, iterations=1)))
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_pieces_of_the_jacobian_change_nothing_but_rounding():
    one, other = (
        polish(PolishCell(rough(), DATA["train"], config(iterations=1, chunk=chunk)))[1]
        for chunk in (64, 10)
    )
    # A step of a matrix damped to a condition below 1e4, of sums of 128 terms.
    assert one == pytest.approx(other, rel=1e4 * 128 * 2.2e-16)


def test_every_iteration_is_reported():
    seen = []
    polish(PolishCell(rough(), DATA["train"], config(iterations=2)), lambda: seen.append(1))
    assert len(seen) == 2
