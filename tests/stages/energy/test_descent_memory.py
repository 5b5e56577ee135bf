import pytest
import torch
from labs.memory.models import config, skips
from pipeline.labs.memory.inside import all_contexts

from pipeline.core.training.sampling import generators
from pipeline.labs.memory.models import AttentionMemory
from pipeline.runtime import saved_models
from pipeline.stages.energy._memory import layers_of

STAGE = "energy_descent_memory"


def test_every_layer_of_every_model_is_measured(chain):
    metrics = chain.metrics(STAGE)["E7"]
    folder = chain.made("memory_train_published")
    models = saved_models.read_models(folder / "models.safetensors", AttentionMemory)
    assert metrics.keys() == {f"memory_{name}_layer0" for name in models}
    for name, found in metrics.items():
        assert 0 <= found["lowered_real_low"] <= found["lowered_real_high"] <= 1, name


def test_the_memory_labs_layers_add_up_to_its_model(chain):
    folder = chain.made("memory_train_published")
    models = saved_models.read_models(folder / "models.safetensors", AttentionMemory)
    model = next(iter(models.values())).double()
    tokens = torch.tensor([[0, 1], [2, 3], [1, 1]]).expand(model.members, -1, -1)
    last = list(layers_of(model, tokens))[-1]
    logits = (last.stream + last.update)[:, :, -1] @ model.U.mT
    # The same sums in another order, of numbers of order 10.
    torch.testing.assert_close(logits, model(tokens), rtol=0, atol=1e-11)


SHAPES = {
    "deep": config(layers=2, mlp_width=5, mlp_depth=2, norm=True),
    "split": config(layers=2, d_head=6, sub_heads=2, modules=2),
    "blind": config(skips=skips("residual", "pos_QK", "emb_OV")),
}


@pytest.mark.parametrize("name", SHAPES)
def test_layers_of_any_memory_are_the_models_own(name):
    model = AttentionMemory(SHAPES[name], generators([0, 1])).double()
    tokens = all_contexts(6, 2)
    cache = {}
    with torch.no_grad():
        model(tokens, cache)
        layers = list(layers_of(model, tokens))
    assert len(layers) == len(model.layers)
    for number, found in enumerate(layers):
        # The last position sees both keys: its queries and keys give the model's own pattern.
        query = found.query_of(found.stream)[:, :, :, -1:]
        scores = (query * found.key).sum(-1) / found.key.shape[-1] ** 0.5
        expected = cache[f"layer_{number}.pattern"]
        # The same sums in another order, of numbers of order 10.
        torch.testing.assert_close(scores.softmax(-1), expected, rtol=0, atol=1e-11)
        heads = cache[f"layer_{number}.heads"].sum(2)
        torch.testing.assert_close(found.update[:, :, -1], heads, rtol=0, atol=1e-11)
        assert found.causal
    with torch.no_grad():
        end = model.layers[-1].mlp(model.layers[-1].add(found.stream, found.update)[:, :, -1])
    torch.testing.assert_close(end, cache["stream"], rtol=0, atol=1e-11)
