import torch

from pipeline import artifacts
from pipeline.labs.memory.models import AttentionMemory
from pipeline.stages._energy_memory import layers_of

STAGE = "energy_descent_memory"


def test_every_layer_of_every_model_is_measured(chain):
    metrics = chain.metrics(STAGE)["E7"]
    folder = chain.made("memory_train_published")
    models = artifacts.read_models(folder / "models.safetensors", AttentionMemory)
    assert metrics.keys() == {f"memory_{name}_layer0" for name in models}
    for name, found in metrics.items():
        assert 0 <= found["lowered_real_low"] <= found["lowered_real_high"] <= 1, name


def test_the_memory_labs_layers_add_up_to_its_model(chain):
    folder = chain.made("memory_train_published")
    models = artifacts.read_models(folder / "models.safetensors", AttentionMemory)
    model = next(iter(models.values())).double()
    tokens = torch.tensor([[0, 1], [2, 3], [1, 1]]).expand(model.members, -1, -1)
    last = list(layers_of(model, tokens))[-1]
    logits = (last.stream + last.update)[:, :, -1] @ model.U.mT
    # The same sums in another order, of numbers of order 10.
    torch.testing.assert_close(logits, model(tokens), rtol=0, atol=1e-11)
