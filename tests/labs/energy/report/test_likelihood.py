import numpy as np
import pytest
import torch

from labs.energy.train.test_likelihood import LIKELIHOOD
from pipeline.labs.energy.report import likelihood
from pipeline.labs.energy.train.likelihood import Fits

CONFIG = LIKELIHOOD.model_copy(update={"seeds": (7, 8, 9)})


def fits(*costs):
    """Fits of one set whose seeds have these costs of tied weights; seed k stores k."""
    energy = torch.tensor(costs, dtype=torch.float64)
    losses = {"energy": energy, "energy_origin": energy / 2, "em": torch.zeros_like(energy)}
    stored = torch.arange(3, dtype=torch.float64)[:, None, None].expand(3, 5, 2)
    means = {name: stored + 10 * k for k, name in enumerate(losses)}
    return Fits(losses=losses, models={}, points=stored + 0.5, means=means)


def test_the_example_is_the_seed_of_median_cost():
    found = likelihood.examples(CONFIG, {"ring": fits(3.0, 1.0, 2.0), "far": fits(1.0, 2.0, 3.0)})
    assert found.seed.tolist() == [9, 8]
    assert (found.sets, found.models) == (("ring", "far"), ("energy", "energy_origin", "em"))
    assert (found.points == np.array([2.5, 1.5])[:, None, None]).all()
    assert (found.means[0] == np.array([2.0, 12.0, 22.0])[:, None, None]).all()


def test_costs_are_differences_of_losses_seed_by_seed():
    results = likelihood.results(CONFIG, {"ring": fits(3.0, 1.0, 2.0)})
    assert results["ring"]["tied_weights_cost"] == 2.0
    assert results["ring"]["fixed_origin_cost"] == 1.0
    assert results["ring"]["n"] == 3
    assert results["identities"]["gradient_difference"] < 1e-12


def test_the_table_has_every_models_loss():
    table = likelihood.loss_table({"ring": fits(3.0, 1.0, 2.0)})
    assert table["model"].tolist() == ["energy", "energy_origin", "em"]
    assert table["loss"].tolist() == pytest.approx([2.0, 1.0, 0.0], abs=0)
    assert table[["low", "high"]].iloc[0].tolist() == [1.0, 3.0]
