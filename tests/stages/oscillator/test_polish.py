import pytest
import torch

from pipeline import config
from pipeline.labs.oscillator.data.splits import Split
from pipeline.labs.oscillator.models.scale_normalised import ScaleNormalised
from pipeline.labs.oscillator.train.recipe import weighted_error, weights
from pipeline.runtime.formats import artifacts, records, saved_models
from pipeline.stages.oscillator import polish as stage

STAGE = "oscillator_polish"


def read(chain, name, model):
    return saved_models.read_models(chain.made(name) / "models.safetensors", ScaleNormalised)[model]


def test_the_polished_model_has_its_own_name_and_the_same_seeds_in_float64(chain):
    config = chain.params(STAGE).polish
    polished = read(chain, STAGE, f"{config.model}_polished")
    rough = read(chain, "oscillator_train_recipe", config.model)
    assert polished.config == rough.config
    assert polished.inner.embed.W.dtype == torch.float64
    described = artifacts.read_json(chain.made(STAGE) / "models.json")
    seeds = chain.params("oscillator_train_recipe").train.seeds
    assert [each["params"]["seed"] for each in described] == list(seeds)
    assert not (chain.made(STAGE) / "history.csv").exists()


@torch.no_grad()
def test_it_lowers_the_recipe_s_own_loss_of_every_seed_to_the_number_it_tells(chain):
    config = chain.params(STAGE).polish
    path = chain.inputs / "oscillator_data" / "aged_train.npz"
    data = records.read_arrays(path, Split)
    states, weight = data.states[: config.samples], weights(data, "energy")[: config.samples]

    def loss(model):
        every = (states.expand(model.members, -1, -1, -1), weight.expand(model.members, -1, -1))
        return weighted_error(model.double(), every)

    before = loss(read(chain, "oscillator_train_recipe", config.model))
    after = loss(read(chain, STAGE, f"{config.model}_polished"))
    assert bool((after < before).all())
    described = artifacts.read_json(chain.made(STAGE) / "models.json")
    told = torch.tensor([each["metrics"]["loss"] for each in described], dtype=torch.float64)
    # The same sums of 32 windows in another order, of attention's few hundred roundings.
    torch.testing.assert_close(after, told, rtol=1e-11, atol=0)


def test_a_model_that_the_recipe_does_not_train_is_refused_by_the_check(chain):
    content = config.read(chain.root / config.FILE)
    content["oscillator.polish"]["model"] = "huge"
    expected = r"params.yaml: oscillator.polish.model must be one of \[.*'small'.*\], got 'huge'$"
    with pytest.raises(config.ConfigError, match=expected):
        config.build(content, stage.Params)


def test_a_jacobian_that_does_not_fit_into_memory_is_refused_by_the_check(chain):
    content = config.read(chain.root / config.FILE)
    content["oscillator.polish"]["samples"] = 10**7
    expected = r"samples \* d_out \* parameters, the Jacobian, must be <= 2e\+08 numbers in memory"
    with pytest.raises(config.ConfigError, match=expected):
        config.build(content, stage.Params)
