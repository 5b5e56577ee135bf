import torch

from pipeline.core.nn.transformer import Transformer
from pipeline.runtime.compute import parallel
from pipeline.runtime.formats import artifacts, saved_models
from pipeline.stages.oscillator import train_variable as stage
from stages.conftest import in_this_process

STAGE = "oscillator_train_variable"


def test_the_models_are_those_of_params_yaml_in_its_order(chain):
    train = chain.params(STAGE).train
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", Transformer)
    assert list(models) == list(train.models)
    for name, model in models.items():
        assert model.config == train.models[name].transformer
        assert model.members == len(train.seeds)


def test_the_last_model_s_first_seed_alone_is_registered_with_an_example(chain):
    train = chain.params(STAGE).train
    described = artifacts.read_json(chain.made(STAGE) / "models.json")
    registered = [each for each in described if each["register"] is not None]
    last = list(train.models)[-1]
    assert [each["name"] for each in registered] == [f"O5.{last}.seed_{train.seeds[0]}"]
    assert registered[0]["register"] == train.register_as
    example = torch.tensor(registered[0]["example"])
    model = saved_models.read_models(chain.made(STAGE) / "models.safetensors", Transformer)[last]
    assert model.member(0)(example[None]).shape == (1, *example.shape)


def test_how_seeds_are_stacked_changes_no_model(chain, tmp_path, monkeypatch):
    monkeypatch.setattr(parallel, "map_cells", in_this_process)
    chain.made("oscillator_data")
    params = chain.params(STAGE)
    training = params.train.training.model_copy(update={"dtype": "float64"})
    models = []
    for size in (1, 2):
        changes = {"members_per_cell": size, "training": training}
        train = params.train.model_copy(update=changes)
        stage.run(params.model_copy(update={"train": train}), chain.inputs, tmp_path / str(size))
        path = tmp_path / str(size) / "models.safetensors"
        models.append(saved_models.read_models(path, Transformer))
    alone, together = models
    for name, model in alone.items():
        for key, value in model.state_dict().items():
            # AdamW divides a rounding of 1e-16 by 1e-8 at worst: x rate 1e-3 x 4 steps.
            found = together[name].state_dict()[key]
            torch.testing.assert_close(found, value, rtol=0, atol=4e-11)


def test_the_first_member_is_the_first_seed_s(chain):
    train = chain.params(STAGE).train
    models = saved_models.read_models(chain.made(STAGE) / "models.safetensors", Transformer)
    described = artifacts.read_json(chain.made(STAGE) / "models.json")
    order = [(each["model"]["name"], each["params"]["seed"]) for each in described]
    assert order == [(name, seed) for name in models for seed in train.seeds]
