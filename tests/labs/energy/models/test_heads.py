import pytest
import torch

from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.energy.models import continuous, heads

PLAIN = {
    "d_in": 3, "d_out": 2, "d_model": 8, "d_head": 4, "n_layers": 2, "attention": "softmax",
    "causal": True, "positions": 6, "previous_token": False, "bias": False, "mlp_width": 0,
    "norm": False,
}  # fmt: skip
KINDS = [
    {},
    {"attention": "linear"},
    {"attention": "linear", "causal": False},
    {"norm": True, "mlp_width": 5, "bias": True},
    {"previous_token": True, "positions": 0, "causal": False},
]


def at_work(changes, seeds=(0, 1)):
    model = Transformer(TransformerConfig(**(PLAIN | changes)), generators(seeds)).double()
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(1, 5, 6, 3, dtype=torch.float64, generator=draw).expand(len(seeds), -1, -1, -1)
    return model, x, heads.layers_of(model, x)


@pytest.mark.parametrize("changes", KINDS)
def test_the_pure_update_of_a_head_is_minus_the_gradient_of_its_energy(changes):
    model, x, layers = at_work(changes)
    cache = {}
    model(x, cache=cache)
    for k, layer in enumerate(layers):
        q = cache[f"layer_{k}.q"].detach().requires_grad_()
        energy = heads.head_energy(q, layer.key, kind=layer.kind, causal=layer.causal)
        (gradient,) = torch.autograd.grad(energy.sum(), q)
        attended = cache[f"layer_{k}.pattern"] @ layer.key
        # Numbers of order 1 in float64, a dozen operations apart.
        torch.testing.assert_close(-gradient, attended - q, rtol=0, atol=1e-12)


@pytest.mark.parametrize("changes", KINDS)
def test_a_layer_at_some_positions_is_the_layer_there(changes):
    _, _, layers = at_work(changes)
    some = slice(1, 6, 2)
    for layer in layers:
        part = layer.at(some)
        for whole in (True, False):
            torch.testing.assert_close(
                part.energy(part.stream, whole=whole),
                layer.energy(layer.stream, whole=whole)[..., some],
                rtol=0, atol=1e-12,
            )  # fmt: skip
            gradient = layer.gradient(whole=whole)[..., some, :]
            torch.testing.assert_close(part.gradient(whole=whole), gradient, rtol=0, atol=1e-12)


def test_a_softmax_heads_energy_is_that_of_the_continuous_network():
    _, _, layers = at_work({"causal": False})
    layer = layers[0]
    q = layer.query_of(layer.stream)
    energy = layer.energy(layer.stream)
    expected = continuous.energy(q[0, 0, 1], layer.key[0, 0, 1], beta=0.5)  # 1 / sqrt(4)
    torch.testing.assert_close(energy[0, 0, 1], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("changes", KINDS)
def test_streams_and_updates_are_the_models_own(changes):
    model, x, layers = at_work(changes)
    cache = {}
    model(x, cache=cache)
    for k, layer in enumerate(layers):
        torch.testing.assert_close(
            layer.query_of(layer.stream), cache[f"layer_{k}.q"], rtol=0, atol=1e-12
        )
    if not model.config.mlp_width:
        last = layers[-1].stream + layers[-1].update
        torch.testing.assert_close(last, cache["final.residual"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("changes", KINDS)
def test_the_gradient_predicts_the_change_of_energy_for_small_steps(changes):
    _, _, layers = at_work(changes)
    for layer in layers:
        gradient = layer.gradient()
        step = 1e-6 * torch.randn(layer.stream.shape, dtype=torch.float64,
                                  generator=torch.Generator().manual_seed(1))  # fmt: skip
        change = layer.energy(layer.stream + step) - layer.energy(layer.stream)
        predicted = (gradient * step.unsqueeze(2)).sum(-1)
        # The second order is (1e-6)^2 times curvatures and norms of order 100 at most.
        torch.testing.assert_close(change, predicted, rtol=0, atol=1e-10)
