import numpy as np

from pipeline.core.nn.transformer import Transformer
from pipeline.runtime.formats import artifacts, saved_models

STAGE = "oscillator_train_fixed"


def test_there_is_a_model_for_each_damping_and_recipe_with_all_seeds(chain):
    train = chain.params(STAGE).train
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", Transformer)
    recipes = ["", *(f"_{name}" for name in train.other_recipes)]
    assert set(models) == {f"gamma_{g}{recipe}" for g in ("0", "0.1") for recipe in recipes}
    for name, model in models.items():
        assert model.members == len(train.seeds)
        assert model.config == train.model.transformer
        recipe = train.other_recipes.get(name.split("_")[-1], train.training)
        assert {p.dtype for p in model.parameters()} == {recipe.torch_dtype}


def test_the_loss_of_every_seed_is_recorded_to_the_last_step(chain):
    train = chain.params(STAGE).train
    columns = ["model", "seed", "step", "loss", "validation_loss", "validation_last"]
    table = artifacts.read_csv(chain.made(STAGE) / "history.csv", columns)
    assert list(table) == columns
    assert set(table.seed) == set(train.seeds)
    for _, run in table[table.model == "gamma_0"].groupby("seed"):
        assert run.step.tolist() == [5, 10]
    assert bool(np.isfinite(table[columns[3:]].to_numpy()).all())
    assert bool((table.loss > 0).all())


def test_every_model_is_described_for_tracking(chain):
    train = chain.params(STAGE).train
    described = artifacts.read_json(chain.made(STAGE) / "models.json")
    assert len(described) == 2 * (1 + len(train.other_recipes)) * len(train.seeds)
    assert len({each["name"] for each in described}) == len(described)
    assert described[0]["params"]["d_model"] == train.model.d_model
    assert described[0]["params"]["loss_kind"] == "last"
