import pytest
import torch

from labs.memory.models import config, skips
from pipeline.core.training.sampling import generators
from pipeline.labs.memory.activations import activations
from pipeline.labs.memory.inside import all_contexts
from pipeline.labs.memory.models import AttentionMemory

SHAPES = {
    "deep": config(layers=2, mlp_width=5, mlp_depth=2, norm=True),
    "split": config(layers=2, d_head=6, sub_heads=2, modules=2),
    "blind": config(skips=skips("residual", "pos_QK", "emb_OV")),
}


@pytest.mark.parametrize("name", SHAPES)
def test_layers_at_work_are_the_models_own(name):
    model = AttentionMemory(SHAPES[name], generators([0, 1])).double()
    tokens = all_contexts(6, 2)
    cache = {}
    with torch.no_grad():
        model(tokens, cache)
        layers = list(activations(model, tokens))
        assert len(layers) == len(model.layers)
        for number, layer in enumerate(layers):
            # The last position sees both keys: its queries and keys give the model's own pattern.
            scores = (layer.q(layer.stream)[:, :, :, -1:] * layer.k).sum(-1)
            pattern = (scores / layer.k.shape[-1] ** 0.5).softmax(-1)
            # The same sums in another order, of numbers of order 10.
            torch.testing.assert_close(
                pattern, cache[f"layer_{number}.pattern"], rtol=0, atol=1e-11
            )
            heads = cache[f"layer_{number}.heads"].sum(2)
            torch.testing.assert_close(layer.update[:, :, -1], heads, rtol=0, atol=1e-11)
        last = model.layers[-1]
        end = last.mlp(last.add(layers[-1].stream, layers[-1].update)[:, :, -1])
    torch.testing.assert_close(end, cache["stream"], rtol=0, atol=1e-11)
