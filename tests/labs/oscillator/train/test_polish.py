import pytest
import torch

from labs.oscillator.train.test_recipe import DATA, recipe
from pipeline.core.training.levenberg_marquardt import LevenbergMarquardtConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.models.scale_normalised import ScaleNormalised
from pipeline.labs.oscillator.train.polish import (
    PolishCell,
    PolishConfig,
    polish,
    polish_cells,
    residual,
)
from pipeline.labs.oscillator.train.recipe import weighted_error, weights

STATES, WEIGHT = DATA["train"].states, weights(DATA["train"], "energy")


def rough():
    return ScaleNormalised(recipe().transformer, generators([0]))  # float32, as trained


def config(samples=64, iterations=4, chunk=64):
    optimizer = LevenbergMarquardtConfig(iterations=iterations, damping=1e-3, chunk=chunk)
    return PolishConfig(model="small", samples=samples, optimizer=optimizer)


def cell(chosen, data=DATA["train"]):
    return PolishCell(seed=3, model=rough(), data=data, config=chosen)


def loss(model, count=64):
    batch = (STATES[None, :count], WEIGHT[None, :count])
    return float(weighted_error(model.double(), batch).detach())


def finished(work):
    """Return the finished model and the loss that it tells, of its one member."""
    model, history, metrics = polish(work)
    assert history is None
    return model, float(metrics["loss"])


def test_it_lowers_the_recipe_s_own_loss_to_the_number_it_tells():
    before = loss(rough())
    model, told = finished(cell(config()))
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
    model, told = finished(cell(config(samples=5, iterations=1)))
    assert told == pytest.approx(loss(model, 5), rel=1e-12)
    train = DATA["train"]
    cut = Split(train.states[:5], train.omega0[:5], train.gamma[:5])
    again, _ = finished(cell(config(samples=5, iterations=1), cut))
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_pieces_of_the_jacobian_change_nothing_but_rounding():
    one, other = (finished(cell(config(iterations=1, chunk=chunk)))[1] for chunk in (64, 10))
    # A step of a matrix damped to a condition below 1e4, of sums of 128 terms.
    assert one == pytest.approx(other, rel=1e4 * 128 * 2.2e-16)


def test_every_iteration_is_reported():
    seen = []
    polish(cell(config(iterations=2)), lambda: seen.append(1))
    assert len(seen) == 2


def test_every_member_is_a_cell_with_its_seed_and_the_polished_model_s_name():
    model = ScaleNormalised(recipe().transformer, generators([7, 8]))
    cells = polish_cells(config(), model, [7, 8], DATA["train"])
    assert [(each.name, each.seeds, each.steps) for each in cells] == [
        ("small_polished", [7], 4), ("small_polished", [8], 4),
    ]  # fmt: skip
    for k, each in enumerate(cells):
        assert each.params["model"] == "small"
        for name, value in each.model.state_dict().items():
            assert torch.equal(value[0], model.state_dict()[name][k])
