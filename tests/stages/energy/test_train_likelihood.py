import numpy as np
import torch

from pipeline.labs.energy.models.energy_based import EnergyBasedModel
from pipeline.runtime.formats import artifacts, saved_models

STAGE = "energy_train_likelihood"


def test_every_set_has_every_models_loss_and_the_cost_of_its_ties(chain):
    results, config = chain.metrics(STAGE)["E6"], chain.params(STAGE).likelihood
    assert results.keys() == {"identities", *config.sets}
    for name in config.sets:
        for model in ("energy", "energy_origin", "em", "em_covariance"):
            assert np.isfinite(results[name][f"loss_{model}"])
        assert results[name]["n"] == len(config.seeds)
    assert results["identities"]["log_z_difference_high"] < 1e-10


def test_the_models_listed_are_those_in_the_file(chain):
    folder = chain.made(STAGE)
    models = saved_models.read_models(folder / "models.safetensors", EnergyBasedModel)
    entries = artifacts.read_json(folder / "models.json")
    listed = {(entry["model"]["name"], entry["model"]["member"]) for entry in entries}
    assert listed == {(name, k) for name, m in models.items() for k in range(m.members)}
    assert all(torch.isfinite(m.X).all() for m in models.values())
