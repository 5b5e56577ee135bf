import dataclasses

import pytest
import torch

from pipeline.core.nn.transformer import Transformer, TransformerConfig
from pipeline.core.training.sampling import generators
from pipeline.labs.energy import continuous, descent, descent_results, heads
from pipeline.labs.energy.alignment import SMALL, alignment, mean_alignment

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
EVERY = slice(None)


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


def test_all_controls_have_the_norm_of_the_real_update():
    _, _, layers = at_work({})
    found = descent.directions(layers[0].update, layers[0].gradient(), torch.Generator())
    norm = layers[0].update.norm(dim=-1).unsqueeze(2).expand(-1, -1, 2, -1)
    assert found.keys() == set(descent.DIRECTIONS)
    for name, u in found.items():
        torch.testing.assert_close(u.norm(dim=-1), norm, rtol=0, atol=1e-12, msg=name)
    assert torch.equal(found["real"][:, :, 0], layers[0].update)


def test_small_steps_along_minus_the_gradient_always_lower_the_energy():
    _, _, layers = at_work({})
    small = [dataclasses.replace(layer, update=1e-4 * layer.update) for layer in layers]
    for changes in descent.measure(small, torch.Generator().manual_seed(0)):
        assert (changes["minus_gradient"].lowered(EVERY) == 1).all()
        # So small a step falls exactly when its cosine says so.
        real = changes["real"]
        clear = real.cosine.abs() > 1e-2
        assert torch.equal((real.change < 0)[clear], (real.cosine > 0)[clear])


def test_a_layer_that_does_descend_is_told_from_its_controls():
    _, _, layers = at_work({"d_head": 8})
    layer = layers[0]
    downhill = dataclasses.replace(layer, update=-0.01 * layer.gradient()[:, :, 0])
    changes = descent.measure([downhill], torch.Generator().manual_seed(0))[0]
    found = descent_results.quantities(changes, EVERY)
    assert (found["lowered_real"] == 1).all()
    assert (found["cosine"] > 1 - 1e-12).all()
    assert (found["lowered_random"] < 0.8).all()


@pytest.mark.parametrize("changes", [k for k in KINDS if not k.get("norm")])
def test_the_closed_form_alignment_is_the_instruments_cosine(changes):
    model, x, layers = at_work(changes)
    cache = {}
    model(x, cache=cache)
    measured = descent.measure(layers, torch.Generator())
    for k in range(2):
        square = layers[k].update.square().sum(-1).unsqueeze(2)
        square = square * layers[k].gradient().square().sum(-1)
        error = (alignment(model, cache, k) - measured[k]["real"].cosine).abs()
        # What keeps it finite is added to these squared norms; the rest is rounding.
        assert bool((error <= SMALL / square + 1e-12).all())
    assert mean_alignment(model, cache).shape == (2,)


def test_alignment_of_a_model_with_norms_is_refused():
    model, _, _ = at_work({"norm": True})
    with pytest.raises(ValueError, match="without norms"):
        alignment(model, {}, 0)


def test_a_single_sequence_has_no_control():
    _, _, layers = at_work({})
    one = layers[0].update[:, :1]
    with pytest.raises(ValueError, match="at least 2 sequences, got 1"):
        descent.directions(one, layers[0].gradient()[:, :1], torch.Generator())


def test_a_member_is_measured_as_it_would_be_alone():
    _, _, both = at_work({})
    _, _, alone = at_work({}, seeds=(1,))
    first = descent.measure(both, torch.Generator().manual_seed(0))[1]
    second = descent.measure(alone, torch.Generator().manual_seed(0))[1]
    for name in descent.DIRECTIONS:
        torch.testing.assert_close(first[name].change[1:], second[name].change, rtol=0, atol=1e-12)
