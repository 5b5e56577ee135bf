import torch

from pipeline.labs.memory.measure.activations import activations
from pipeline.labs.memory.models.attention import AttentionMemory
from pipeline.runtime.formats import saved_models
from pipeline.stages.energy.measure_descent_memory import attention_layer

STAGE = "energy_measure_descent_memory"


def test_every_layer_of_every_model_is_measured(chain):
    results = chain.metrics(STAGE)["E7"]
    folder = chain.made("memory_train_published")
    models = saved_models.read_models(folder / "models.safetensors", AttentionMemory)
    assert results.keys() == {f"memory_{name}_layer0" for name in models} | {"all_layers"}
    for name in models:
        layer = results[f"memory_{name}_layer0"]
        assert 0 <= layer["lowered_real_low"] <= layer["lowered_real_high"] <= 1, name
        assert 0 <= layer["downhill_first_token_changed"] <= 1


def test_the_memory_labs_layers_add_up_to_its_model(chain):
    folder = chain.made("memory_train_published")
    models = saved_models.read_models(folder / "models.safetensors", AttentionMemory)
    model = next(iter(models.values())).double()
    tokens = torch.tensor([[0, 1], [2, 3], [1, 1]]).expand(model.members, -1, -1)
    last = attention_layer(list(activations(model, tokens))[-1])
    logits = (last.stream + last.update)[:, :, -1] @ model.U.mT
    # The same sums in another order, of numbers of order 10.
    torch.testing.assert_close(logits, model(tokens), rtol=0, atol=1e-11)
    assert last.causal
