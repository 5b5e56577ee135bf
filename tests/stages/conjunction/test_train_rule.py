from pipeline.labs.conjunction.models.attention import BinaryAttention
from pipeline.labs.conjunction.models.input_gains import InputGains
from pipeline.labs.conjunction.models.linear import Linear
from pipeline.labs.conjunction.models.mlp import BinaryMLP
from pipeline.runtime.formats import artifacts, saved_models

STAGE = "conjunction_train_rule"


def test_all_five_models_learn_the_same_task(chain):
    params = chain.params(STAGE)
    path = chain.made(STAGE) / "models.safetensors"
    models = saved_models.read_models(path, BinaryAttention, BinaryMLP, InputGains, Linear)
    assert list(models) == ["attention", "cls_head", "mlp", "input_gains", "linear"]
    assert {model.members for model in models.values()} == {len(params.data.seeds)}


def test_the_first_attention_is_registered_with_an_input_that_it_takes(chain):
    params, folder = chain.params(STAGE), chain.made(STAGE)
    entries = artifacts.read_json(folder / "models.json")
    registered = [entry for entry in entries if entry["register"]]
    assert [entry["register"] for entry in registered] == [params.train.register_as]
    [task] = params.data.tasks.values()
    [example] = registered[0]["example"]
    assert sum(example) == task.positions
    assert len(example) == 2 * task.positions
