import pytest

from pipeline.labs.oscillator.models.scale_normalised import ScaleNormalised
from pipeline.runtime.formats import artifacts, saved_models

STAGE = "oscillator_train_recipe"


@pytest.fixture(scope="module")
def models(chain):
    return saved_models.read_models(chain.made(STAGE) / "models.safetensors", ScaleNormalised)


def test_the_models_are_those_of_params_yaml_with_all_seeds(chain, models):
    train = chain.params(STAGE).train
    assert list(models) == list(train.models)
    for name, model in models.items():
        assert model.members == len(train.seeds)
        assert model.config == train.models[name].transformer


def test_each_is_trained_to_its_own_last_step(chain):
    train = chain.params(STAGE).train
    table = artifacts.read_csv(
        chain.made(STAGE) / "history.csv", ["model", "seed", "step", "loss", "validation_energy"]
    )
    for name, recipe in train.models.items():
        own = table[table.model == name]
        assert set(own.seed) == set(train.seeds)
        assert own.step.max() == recipe.training.steps


def test_the_data_that_a_recipe_names_makes_the_model(chain, models):
    # The recipes linear_attention and damped differ in their data alone.
    train = chain.params(STAGE).train
    one, other = train.models["linear_attention"], train.models["damped"]
    assert one.model_copy(update={"data": "damped"}) == other
    difference = models["linear_attention"].inner.embed.W - models["damped"].inner.embed.W
    # AdamW's first steps have the size of its rate, 0.003; rounding is 1e-7.
    assert float(difference.detach().abs().max()) > 1e-4


def test_tracking_is_told_the_recipe_and_the_number_of_parameters(chain, models):
    described = artifacts.read_json(chain.made(STAGE) / "models.json")
    train = chain.params(STAGE).train
    assert len(described) == len(train.models) * len(train.seeds)
    for each in described:
        name = each["model"]["name"]
        assert each["name"] == f"O7.{name}.seed_{each['params']['seed']}"
        assert each["params"]["data"] == train.models[name].data
        assert each["params"]["parameters"] == models[name].parameters_per_member
